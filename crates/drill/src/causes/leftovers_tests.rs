use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::Duration;

use super::*;
use crate::causes::undo_list::UndoList;
use crate::causes::undo_list::tests::{locked, place, touch};

/// The lists that nobody holds any more. A child that another test is just starting may hold a lock with its copy of
/// the file until it is a program.
async fn eventually(lists: &Path) -> Found {
    for _ in 0..100 {
        let found = go_through(lists).await.unwrap();
        if !found.said.is_empty() {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Found::default()
}

#[tokio::test]
async fn a_list_that_cannot_be_undone_is_kept_for_every_start_until_it_can() {
    let dir = tempfile::tempdir().unwrap();
    let [lists, key, mark] = ["lists", "key", "mark"].map(|name| dir.path().join(name));
    let undoing = UndoList::new(&lists, place(), 0).unwrap();
    undoing.promise(locked(&key, &mark)).unwrap();
    undoing.promise(Undo::Run(touch(&dir.path().join("other")))).unwrap();
    undoing.undo_all().await;
    drop(undoing);
    for _ in 0..2 {
        let Found { said, left } = eventually(&lists).await;
        assert!(
            said.len() == 1 && left.len() == 1 && said[0].contains("the next start tries again"),
            "{said:?}"
        );
        // A new list takes no other's place, though it is the same process's.
        let (here, mut elsewhere) = (UndoList::new(&lists, place(), 0).unwrap(), place());
        here.bar(&left);
        assert!(
            !here.is_sound() && here.make_sound().await.unwrap_err().to_string().contains("exit status: 3")
        );
        elsewhere.prometheus = "http://127.0.0.1:2".parse().unwrap();
        let other = UndoList::new(&lists, elsewhere, 1).unwrap();
        other.bar(&left);
        assert!(other.is_sound(), "it was left on another stack");
    }
    fs::write(&key, "").unwrap();
    let Found { said, left } = eventually(&lists).await;
    assert!(said.len() == 1 && said[0].contains("now done") && left.is_empty() && mark.exists(), "{said:?}");
    assert_eq!(fs::read_dir(&lists).unwrap().count(), 0);
}

#[tokio::test]
async fn the_list_of_a_run_that_lives_is_its_own_and_that_of_a_dead_one_is_undone() {
    let dir = tempfile::tempdir().unwrap();
    let lists = dir.path().join("lists");
    let mark = dir.path().join("mark");
    let undoing = UndoList::new(&lists, place(), 0).unwrap();
    undoing.promise(Undo::Run(touch(&mark))).unwrap();
    assert!(go_through(&lists).await.unwrap().said.is_empty() && !mark.exists());
    drop(undoing); // as when it is killed: the list stays, the lock goes
    let Found { said, .. } = eventually(&lists).await;
    assert!(mark.exists() && said.len() == 1 && said[0].contains("now done: run `touch"), "{said:?}");
    assert!(go_through(&lists).await.unwrap().said.is_empty());
}

/// A list that would touch `mark`.
fn written(mark: &Path) -> String {
    serde_json::to_string(&Written { place: place(), undo: vec![Undo::Run(touch(mark))] }).unwrap()
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[tokio::test]
async fn nothing_but_lists_is_touched() {
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
    assert_eq!(found.said.len(), 1, "{:?}", found.said);
    assert!(found.said[0].contains("3.json: is no list") && found.left.is_empty() && !mark.exists());
    for (name, text) in others {
        assert_eq!(fs::read_to_string(dir.path().join(name)).unwrap(), text, "{name}");
    }
    fs::write(dir.path().join("loadgen-undo-1-2-4.json"), &list).unwrap();
    fs::write(dir.path().join("loadgen-undo-1-2-5.json"), "").unwrap();
    assert!(go_through(dir.path()).await.unwrap().said.iter().any(|said| said.contains("now done")));
    assert!(mark.exists());
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), others.len() + 1, "and the mark");
}

#[tokio::test]
async fn what_others_could_have_written_is_refused_with_the_way_out() {
    let dir = tempfile::tempdir().unwrap();
    let (lists, mark) = (dir.path().join("deep/lists"), dir.path().join("mark"));
    prepare(&lists).unwrap();
    assert_eq!(fs::metadata(&lists).unwrap().mode() & 0o777, 0o700);
    let list = lists.join("loadgen-undo-1-0-0.json");
    fs::write(&list, written(&mark)).unwrap();
    for (path, mode) in [(&lists, 0o777), (&lists, 0o770), (&list, 0o666)] {
        let before = fs::metadata(path).unwrap().mode();
        set_mode(path, mode);
        let said = go_through(&lists).await.unwrap_err().to_string();
        let expected = [format!("{}: others may write", path.display()), format!("(mode {mode:o})")];
        assert!(expected.iter().all(|part| said.contains(part)) && said.contains("chmod go-w"), "{said}");
        set_mode(path, before);
    }
    assert!(!mark.exists() && list.exists());
    // A link may lead to what is ours and was written for something else.
    let (elsewhere, link) = (dir.path().join("elsewhere"), lists.join("loadgen-undo-1-0-1.json"));
    fs::rename(&list, &elsewhere).unwrap();
    symlink(&elsewhere, &link).unwrap();
    assert!(go_through(&lists).await.unwrap_err().to_string().contains("1-0-1.json: "));
    assert!(!mark.exists() && elsewhere.exists());
    fs::remove_file(&link).unwrap();
    // What belongs to root belongs to somebody else, unless this is root; `/` is there for both.
    if geteuid().is_root() {
        std::os::unix::fs::chown(&lists, Some(65_534), None).unwrap();
        let said = go_through(&lists).await.unwrap_err().to_string();
        assert!(said.contains("belongs to user 65534, and this is user 0"), "{said}");
    } else {
        assert!(prepare(Path::new("/")).unwrap_err().to_string().contains("belongs to user 0"));
    }
}
