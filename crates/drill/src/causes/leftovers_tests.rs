use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::Duration;

use super::*;
use crate::causes::undo_list::UndoList;
use crate::causes::undo_list::tests::{locked, stack, touch};

/// The lists that no process has locked. A child process that another test is starting may hold a lock through its copy of
/// the file until it executes its program.
async fn eventually(lists: &Path) -> Found {
    for _ in 0..100 {
        let found = go_through(lists).await.unwrap();
        if !found.messages.is_empty() {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Found::default()
}

#[tokio::test]
async fn keeps_a_list_for_later_runs_until_it_can_be_undone() {
    let dir = tempfile::tempdir().unwrap();
    let [lists, key, mark] = ["lists", "key", "mark"].map(|name| dir.path().join(name));
    let undo_list = UndoList::new(&lists, stack(), 0).unwrap();
    undo_list.promise(locked(&key, &mark)).unwrap();
    undo_list.promise(Undo::Run(touch(&dir.path().join("other")))).unwrap();
    undo_list.undo_all().await;
    drop(undo_list);
    for _ in 0..2 {
        let Found { messages, left } = eventually(&lists).await;
        assert!(
            messages.len() == 1 && left.len() == 1 && messages[0].contains("each run tries again"),
            "{messages:?}"
        );
        // A new list does not replace an old one, though both belong to the same process.
        let (here, mut elsewhere) = (UndoList::new(&lists, stack(), 0).unwrap(), stack());
        here.bar(&left);
        assert!(
            !here.is_sound() && here.make_sound().await.unwrap_err().to_string().contains("exit status: 3")
        );
        elsewhere.prometheus = "http://127.0.0.1:2".parse().unwrap();
        let other = UndoList::new(&lists, elsewhere, 1).unwrap();
        other.bar(&left);
        assert!(other.is_sound(), "the list is about another stack");
    }
    fs::write(&key, "").unwrap();
    let Found { messages, left } = eventually(&lists).await;
    assert!(
        messages.len() == 1 && messages[0].contains("completed now") && left.is_empty() && mark.exists(),
        "{messages:?}"
    );
    assert_eq!(fs::read_dir(&lists).unwrap().count(), 0);
}

#[tokio::test]
async fn undoes_lists_of_dead_runs_only() {
    let dir = tempfile::tempdir().unwrap();
    let lists = dir.path().join("lists");
    let mark = dir.path().join("mark");
    let undo_list = UndoList::new(&lists, stack(), 0).unwrap();
    undo_list.promise(Undo::Run(touch(&mark))).unwrap();
    assert!(go_through(&lists).await.unwrap().messages.is_empty() && !mark.exists());
    drop(undo_list); // like a killed process: the list stays, the lock is released
    let Found { messages, .. } = eventually(&lists).await;
    assert!(
        mark.exists() && messages.len() == 1 && messages[0].contains("completed now: run `touch"),
        "{messages:?}"
    );
    assert!(go_through(&lists).await.unwrap().messages.is_empty());
}

/// A list whose command creates `mark`.
fn written(mark: &Path) -> String {
    serde_json::to_string(&Written { stack: stack(), undo: vec![Undo::Run(touch(mark))] }).unwrap()
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[tokio::test]
async fn touches_only_lists() {
    let dir = tempfile::tempdir().unwrap();
    let mark = dir.path().join("mark");
    let list = written(&mark);
    let others = [
        ("thesis.txt", "x"),
        ("2024-01.json", list.as_str()),
        ("loadgen-undo-1-2.json", &list),
        ("loadgen-undo-1-2-x.json", &list),
        ("loadgen-undo-1-2-3.json", "{\"undo\": [], \"mine\": true}"),
    ];
    for (name, text) in others {
        fs::write(dir.path().join(name), text).unwrap();
    }
    let found = go_through(dir.path()).await.unwrap();
    assert_eq!(found.messages.len(), 1, "{:?}", found.messages);
    assert!(
        found.messages[0].contains("3.json: is not an undo list") && found.left.is_empty() && !mark.exists()
    );
    for (name, text) in others {
        assert_eq!(fs::read_to_string(dir.path().join(name)).unwrap(), text, "{name}");
    }
    fs::write(dir.path().join("loadgen-undo-1-2-4.json"), &list).unwrap();
    fs::write(dir.path().join("loadgen-undo-1-2-5.json"), "").unwrap();
    assert!(
        go_through(dir.path())
            .await
            .unwrap()
            .messages
            .iter()
            .any(|message| message.contains("completed now"))
    );
    assert!(mark.exists());
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), others.len() + 1, "and the mark");
}

#[tokio::test]
async fn rejects_files_that_others_can_write_and_says_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let (lists, mark) = (dir.path().join("deep/lists"), dir.path().join("mark"));
    prepare(&lists).unwrap();
    assert_eq!(fs::metadata(&lists).unwrap().mode() & 0o777, 0o700);
    let list = lists.join("loadgen-undo-1-0-0.json");
    fs::write(&list, written(&mark)).unwrap();
    for (path, mode) in [(&lists, 0o777), (&lists, 0o770), (&list, 0o666)] {
        let before = fs::metadata(path).unwrap().mode();
        set_mode(path, mode);
        let message = go_through(&lists).await.unwrap_err().to_string();
        let expected = [format!("{}: other users may write", path.display()), format!("(mode {mode:o})")];
        assert!(
            expected.iter().all(|part| message.contains(part)) && message.contains("chmod go-w"),
            "{message}"
        );
        set_mode(path, before);
    }
    assert!(!mark.exists() && list.exists());
    // A link may point to a file of this user that was written for another purpose.
    let (elsewhere, link) = (dir.path().join("elsewhere"), lists.join("loadgen-undo-1-0-1.json"));
    fs::rename(&list, &elsewhere).unwrap();
    symlink(&elsewhere, &link).unwrap();
    assert!(go_through(&lists).await.unwrap_err().to_string().contains("1-0-1.json: "));
    assert!(!mark.exists() && elsewhere.exists());
    fs::remove_file(&link).unwrap();
    // Files of root belong to another user, unless this is root; `/` exists for both.
    if geteuid().is_root() {
        std::os::unix::fs::chown(&lists, Some(65_534), None).unwrap();
        let message = go_through(&lists).await.unwrap_err().to_string();
        assert!(message.contains("belongs to user 65534, but this process runs as user 0"), "{message}");
    } else {
        assert!(prepare(Path::new("/")).unwrap_err().to_string().contains("belongs to user 0"));
    }
}
