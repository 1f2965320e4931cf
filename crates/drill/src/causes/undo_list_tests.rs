use std::os::unix::fs::PermissionsExt;

use super::*;

pub(crate) fn stack() -> Stack {
    let url = || "http://127.0.0.1:1".parse().unwrap();
    Stack {
        target: url(),
        admin: url(),
        prometheus: url(),
        alertmanager: url(),
        alertmanagers: Vec::new(),
        backend: clients::backend::BackendConfig::default(),
        inbox: Some(url()),
        control: vec!["false".into()],
        peer_timeout: std::time::Duration::ZERO,
        http: clients::HttpConfig::default(),
        env: std::collections::BTreeMap::new(),
    }
}

pub(crate) fn touch(path: &Path) -> Vec<String> {
    vec!["touch".into(), path.display().to_string()]
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn notices_a_held_command_that_ended() {
    let dir = tempfile::tempdir().unwrap();
    let undo_list = UndoList::new(dir.path(), stack(), 0).unwrap();
    for script in ["exit 7", "sleep 600"] {
        undo_list.hold(stack().hold(&["sh".into(), "-c".into(), script.into()]).unwrap());
    }
    let ended = || {
        let broken = undo_list.broke_off();
        (!broken.is_empty()).then_some(broken)
    };
    let mut found = ended();
    for _ in 0..200 {
        if found.is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
        found = ended();
    }
    let message = "`sh -c exit 7` ended before the cause was lifted (exit status: 7)".to_owned();
    assert_eq!(found, Some(vec![Broken { message, failed: true }]));
    undo_list.undo_all().await;
    assert!(undo_list.broke_off().is_empty());
}

#[tokio::test]
async fn undoes_the_last_first_and_returns_failures() {
    let dir = tempfile::tempdir().unwrap();
    let undo_list = UndoList::new(dir.path(), stack(), 0).unwrap();
    let mark = dir.path().join("mark");
    undo_list.promise(Undo::Run(touch(&mark))).unwrap();
    undo_list.promise(Undo::Start("redis".into())).unwrap();
    let mode = fs::metadata(&undo_list.path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "URLs may contain passwords");
    let failed = undo_list.undo_all().await;
    assert!(mark.exists());
    assert_eq!(failed.len(), 2, "the failed action and the list's path: {failed:?}");
    assert!(failed[0].starts_with("cannot start redis: `false start redis` failed"), "{failed:?}");
    assert!(failed[0].ends_with("; to do this by hand: false start redis"), "{failed:?}");
    drop(undo_list);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "the mark and the list");
}

/// An action that fails until `key` exists.
pub fn locked(key: &Path, mark: &Path) -> Undo {
    let script = format!("test -e '{}' || exit 3; touch '{}'", key.display(), mark.display());
    Undo::Run(vec!["sh".into(), "-c".into(), script])
}

#[tokio::test]
async fn a_failed_undo_prevents_drills_until_it_succeeds() {
    let dir = tempfile::tempdir().unwrap();
    let [key, mark] = ["key", "mark"].map(|name| dir.path().join(name));
    let undo_list = UndoList::new(&dir.path().join("lists"), stack(), 0).unwrap();
    undo_list.promise(locked(&key, &mark)).unwrap();
    undo_list.promise(Undo::Run(touch(&dir.path().join("other")))).unwrap();
    assert!(undo_list.is_sound(), "a cause in effect is not a leftover");
    assert!(undo_list.undo_all().await[0].contains("exit status: 3"));
    assert!(!undo_list.is_sound());
    let message = undo_list.make_sound().await.unwrap_err().to_string();
    assert!(
        message.contains("not ready for a drill") && message.contains("by hand: sh -c 'test"),
        "{message}"
    );
    assert!(!message.contains("other"), "it was undone: {message}");
    fs::write(&key, "").unwrap();
    assert_eq!(undo_list.make_sound().await, Ok(()));
    assert!(undo_list.is_sound() && mark.exists());
    drop(undo_list);
    assert_eq!(fs::read_dir(dir.path().join("lists")).unwrap().count(), 0);
}
