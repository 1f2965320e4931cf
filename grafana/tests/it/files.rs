//! The dashboard files match the code.

use std::collections::BTreeSet;

use serde_json::Value;

/// The dashboards of the repository.
pub fn shipped() -> Vec<Value> {
    let folder = dashboards::folder().join("dashboards");
    dashboards::boards::all()
        .iter()
        .map(|board| {
            let text = std::fs::read_to_string(folder.join(board.file_name())).unwrap();
            serde_json::from_str(&text).unwrap()
        })
        .collect()
}

#[test]
fn each_file_matches_the_code() {
    let folder = dashboards::folder().join("dashboards");
    let mut named = BTreeSet::new();
    for board in dashboards::boards::all() {
        let name = board.file_name();
        let text = std::fs::read_to_string(folder.join(&name)).unwrap();
        assert!(text == dashboards::render::text(&board), "{name} is stale: cargo run -p dashboards");
        named.insert(name);
    }
    let there: BTreeSet<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".json"))
        .collect();
    assert_eq!(there, named, "a file without a dashboard or a dashboard without a file");
}

#[test]
fn uids_titles_and_panel_ids_are_unique() {
    let boards = shipped();
    for field in ["uid", "title"] {
        let all: BTreeSet<&str> = boards.iter().map(|board| board[field].as_str().unwrap()).collect();
        assert_eq!(all.len(), boards.len(), "{field}");
    }
    for board in &boards {
        let ids: Vec<u64> =
            board["panels"].as_array().unwrap().iter().map(|panel| panel["id"].as_u64().unwrap()).collect();
        let expected: Vec<u64> = (1..=ids.len() as u64).collect();
        assert_eq!(ids, expected, "{}", board["title"]);
    }
}

#[test]
fn rows_are_full_and_panels_do_not_overlap() {
    for board in dashboards::boards::all() {
        for row in &board.rows {
            let width: u32 = row.panels.iter().map(|panel| panel.width).sum();
            assert_eq!(width, 24, "{} / {}", board.title, row.panels[0].title);
        }
    }
    for board in shipped() {
        let mut taken = BTreeSet::new();
        for panel in board["panels"].as_array().unwrap() {
            let at = |field: &str| panel["gridPos"][field].as_u64().unwrap();
            for x in at("x")..at("x") + at("w") {
                for y in at("y")..at("y") + at("h") {
                    assert!(
                        taken.insert((x, y)),
                        "{} overlaps another panel of {}",
                        panel["title"],
                        board["title"]
                    );
                }
            }
        }
    }
}
