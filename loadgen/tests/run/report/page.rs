//! The HTML report in a real browser: wide, narrow, dark, from a file, without network requests.

use serde_json::{Value, json};

use crate::chromium::Page;
use crate::command::{loadgen, stderr};
use crate::server::Server;

/// The page of a short run with two kinds of responses, in a temporary directory.
fn report() -> (tempfile::TempDir, String, Value) {
    let server = Server::gateway();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (page, json) = (file("run.html"), file("run.json"));
    let url = server.url("/");
    let args = [url.as_str(), "--pattern", "error-storm", "-q", "100", "-z", "4s", "--threshold", "p99<1h"];
    let output = loadgen(&[&args[..], &["--out", &page, "--out", &json]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let report = serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap();
    let url = url::Url::from_file_path(page).unwrap().into();
    (folder, url, report)
}

/// Text and position of every cell of the first table, in document order.
const CELLS: &str = "[...document.querySelector('table').rows].map((row) => [...row.cells].map((cell) => {
    const at = cell.getBoundingClientRect();
    return {text: cell.textContent, left: at.left, right: at.right, top: at.top, height: at.height};
}))";

/// Checks the layout at any size: no overflow, every plot within its frame, no network requests.
fn check_layout(page: &mut Page) {
    assert_eq!(
        page.eval("document.documentElement.scrollWidth <= document.documentElement.clientWidth"),
        true
    );
    let plots = page.eval(
        "[...document.querySelectorAll('figure svg[role=img]')].map((svg) => {
            const [frame, marks] = [svg.getBoundingClientRect(), [...svg.querySelectorAll('.curve, .area')]];
            const inside = marks.map((mark) => mark.getBoundingClientRect()).every((at) =>
                at.left >= frame.left - 1 && at.right <= frame.right + 1 && at.top >= frame.top - 1 &&
                at.bottom <= frame.bottom + 1);
            const drawn = marks.filter((mark) => mark.getTotalLength() > 1).length;
            return [svg.querySelector('title').textContent, frame.width > 300, drawn > 0, inside];
        })",
    );
    let titles = [
        "Requests per second over time",
        "Response time over time",
        "Latency by percentile",
        "Responses per second over time",
        "Pacer lag over time",
    ];
    assert_eq!(plots, json!(titles.map(|title| (title, true, true, true))));
    assert_eq!(page.eval("performance.getEntriesByType('resource').map((it) => it.name)"), json!([]));
}

#[test]
fn layout_works_on_wide_and_narrow_screens_and_in_dark_mode() {
    let (_folder, url, report) = report();
    let Some(mut page) = Page::open(1_280, 900) else { return };
    page.go(&url);
    page.until("document.querySelectorAll('figure svg[role=img]').length === 5 && document.readyState === 'complete'");
    check_layout(&mut page);
    page.picture("run-wide.png");
    assert_eq!(
        page.eval("document.querySelector('p.good').textContent"),
        "Fine: every response was as expected."
    );
    let cells = page.eval(CELLS);
    let of = |cells: &Value, row: usize, column: usize| cells[row][column].clone();
    let number = |cell: &Value, side: &str| cell[side].as_f64().unwrap();
    let across: Vec<_> = (0..9).map(|column| of(&cells, 0, column)["text"].clone()).collect();
    assert_eq!(json!(across), json!(["", "min", "mean", "p50", "p90", "p95", "p99", "p99.9", "max"]));
    for column in 1..9 {
        let (name, value) = (of(&cells, 1, 0), of(&cells, 1, column));
        assert!((number(&name, "top") - number(&value, "top")).abs() < 1.0, "one row each: {cells}");
    }
    // The value is that of the report.
    let p99 = report["latency_seconds"]["response"]["p99"].as_f64().unwrap();
    assert_eq!(of(&cells, 1, 6)["text"], load::format::latency(Some(p99)));

    page.size(400, 800);
    page.until("window.innerWidth === 400");
    check_layout(&mut page);
    page.picture("run-narrow.png");
    let cells = page.eval(CELLS);
    for row in 0..5 {
        for column in 0..9 {
            let cell = of(&cells, row, column);
            assert!(number(&cell, "left") >= 0.0 && number(&cell, "right") <= 400.0, "not visible: {cell}");
            // Its row is that of the percentile's name, its column that of the latency.
            let (name, latency) = (of(&cells, 0, column), of(&cells, row, 0));
            assert!((number(&cell, "top") - number(&name, "top")).abs() < 1.0, "{cell} {name}");
            assert!((number(&cell, "right") - number(&latency, "right")).abs() < 1.0, "{cell} {latency}");
        }
    }

    let paper = "getComputedStyle(document.body).backgroundColor";
    assert_eq!(page.eval(paper), "rgb(255, 255, 255)");
    let dark = json!({"features": [{"name": "prefers-color-scheme", "value": "dark"}]});
    page.call("Emulation.setEmulatedMedia", dark);
    assert_eq!(page.eval(paper), "rgb(20, 24, 31)");
    page.picture("run-dark.png");
}
