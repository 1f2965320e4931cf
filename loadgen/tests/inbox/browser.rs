//! The page in a real browser: live updates, narrow screens, keyboard, a full history.

use std::io::Write;

use clients::inbox::{Notification, NotifiedAlert};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::chromium::Page;
use crate::running::{Running, slack, webhook};

/// A message of the shipped templates, with foreign markup in the text.
fn message(status: &str) -> Value {
    let mut body = slack(&format!("[{}:1] HighErrorRate (warning)", status.to_uppercase()));
    body["attachments"][0]["text"] = json!(
        "*The API responds to too many requests with a server error* (job `api`)\n\
         &lt;img src=x onerror=document.title=1&gt; <img src=x> 8.1% of the requests\n\
         <http://127.0.0.1:8025/runbooks/HighErrorRate?a=1&amp;b=2|Runbook> · <javascript:alert(1)|Dashboard>\n"
    );
    body
}

const CARDS: &str = "document.querySelectorAll('#episodes > li').length";
/// The name of the first card.
const FIRST: &str = "document.querySelector('#episodes h2')?.textContent";

#[tokio::test(flavor = "multi_thread")]
async fn page_updates_live_fits_narrow_screens_and_works_by_keyboard() {
    let Some(mut page) = Page::open(400, 800) else { return };
    let inbox = Running::start(100, None);
    page.go(&inbox.base);
    page.until("document.querySelector('#link.live') && !document.querySelector('#empty').hidden");

    // A notification appears without interaction, formatted, and foreign markup stays text.
    inbox.post("/slack", message("firing").to_string()).await;
    page.until(&format!("{FIRST} === 'HighErrorRate'"));
    assert_eq!(page.eval("document.title"), "(1) Inbox");
    let link = "document.querySelector('#episodes .episode > .summary a')";
    assert_eq!(
        page.eval(&format!("{link}.textContent + ' ' + {link}.href")),
        "Runbook http://127.0.0.1:8025/runbooks/HighErrorRate?a=1&b=2"
    );
    assert_eq!(
        page.eval("document.querySelectorAll('#episodes img, #episodes script, #episodes a').length"),
        1
    );
    let text = page.eval("document.querySelector('#episodes .episode > .summary').textContent");
    assert!(text.as_str().unwrap().contains("<img src=x onerror=document.title=1>"), "{text}");
    inbox.post("/webhook", webhook("firing", "Another").to_string()).await;
    page.until(&format!("{CARDS} === 2"));

    // Nothing overflows at 400 pixels, with closed and open cards.
    let sticks_out = "document.documentElement.scrollWidth > document.documentElement.clientWidth";
    assert_eq!(page.eval(sticks_out), false);
    page.eval("document.querySelectorAll('details').forEach((it) => it.open = true)");
    page.until("document.querySelectorAll('.message details').length === 2");
    page.eval("document.querySelectorAll('details').forEach((it) => it.open = true)");
    page.until("document.querySelectorAll('pre').length === 2");
    assert_eq!(page.eval(sticks_out), false);
    page.picture("inbox-narrow.png");
    page.eval("document.querySelectorAll('details').forEach((it) => it.open = false)");

    // Tab moves from the link to the filter and to the cards, j between cards, Enter opens; the focus is visible.
    let focused = "document.activeElement.id || document.activeElement.tagName";
    page.key("Tab", 9, "");
    assert_eq!(page.eval("document.activeElement.getAttribute('href')"), "status");
    page.key("Tab", 9, "");
    assert_eq!(page.eval(focused), "filter");
    page.key("Tab", 9, "");
    assert_eq!(page.eval(focused), "SUMMARY");
    let outline = "getComputedStyle(document.activeElement).outlineStyle";
    assert_eq!(page.eval(outline), "solid");
    page.key("j", 74, "j");
    let card = "document.activeElement.closest('li.episode')";
    assert_eq!(page.eval(&format!("{card}.querySelector('h2').textContent")), "HighErrorRate");
    assert_eq!(page.eval(outline), "solid");
    page.key("Enter", 13, "\r");
    page.until(&format!("{card}.querySelector('details').open && {card}.querySelector('.message strong')"));

    // New notifications change neither the focus nor the scroll position.
    inbox.post("/slack", message("resolved").to_string()).await;
    page.until("document.querySelector('#episodes .moment.resolved')");
    assert_eq!(page.eval(&format!("{card}.querySelector('details').open")), true);
    assert_eq!(page.eval(&format!("{card}.querySelectorAll('.message').length")), 2);
    page.key("j", 74, "j");
    page.key("k", 75, "k");
    assert_eq!(page.eval(&format!("{card}.querySelector('h2').textContent")), "HighErrorRate");

    // The slash focuses the filter, Escape leaves it.
    page.key("/", 191, "/");
    assert_eq!(page.eval(focused), "filter");
    page.call("Input.insertText", json!({"text": "another FIRING"}));
    page.until(&format!("{CARDS} === 1 && {FIRST} === 'Another'"));
    page.call("Input.insertText", json!({"text": " nothing"}));
    page.until(&format!("{CARDS} === 0 && !document.querySelector('#none').hidden"));
    page.key("Escape", 27, "");
    page.until(&format!("{CARDS} === 2"));
    assert_eq!(page.eval(focused), "BODY");

    // The page shows that the inbox is gone.
    inbox.stop().await;
    page.until("document.querySelector('#link.lost')?.textContent.startsWith('no connection since')");
}

/// A history on disk of webhooks, one in ten resolved.
fn history(dir: &std::path::Path, count: u64) {
    let mut file = std::io::BufWriter::new(std::fs::File::create(dir.join("notifications.jsonl")).unwrap());
    for id in 1..=count {
        let status = if id % 10 == 0 { "resolved" } else { "firing" };
        let mut body = webhook(status, &format!("Alert{id}"));
        body["alerts"][0]["fingerprint"] = json!(format!("{id:016x}"));
        body["alerts"][0]["annotations"]["description"] =
            json!("8.1% of the requests got a 5xx response. ".repeat(20));
        let alert = NotifiedAlert {
            alert: format!("Alert{id}"),
            status: status.to_owned(),
            heading: None,
            fingerprint: Some(format!("{id:016x}")),
            starts_at: Some(Timestamp::UNIX_EPOCH),
            ends_at: None,
            labels: serde_json::from_value(body["alerts"][0]["labels"].clone()).unwrap(),
        };
        let notification = Notification {
            id,
            received_at: Timestamp::from_second(1_790_000_000 + i64::try_from(id).unwrap()).unwrap(),
            channel: "webhook".into(),
            status: status.to_owned(),
            alerts: vec![alert],
            body,
        };
        writeln!(file, "{}", serde_json::to_string(&notification).unwrap()).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn page_stays_light_with_ten_thousand_notifications() {
    let Some(mut page) = Page::open(1_000, 900) else { return };
    let dir = tempfile::tempdir().unwrap();
    history(dir.path(), 10_000);
    let inbox = Running::start(10_000, Some(dir.path().to_owned()));
    page.go(&inbox.base);
    let loaded = page.until("document.querySelector('#link.live') && document.querySelector('#episodes h2')");
    assert_eq!((page.eval(CARDS), page.eval(FIRST)), (json!(100), json!("Alert10000")));
    let range = page.eval("document.querySelector('#range').textContent");
    assert_eq!(range, "100 cards, from the newest 500 of 10,000 notifications.");
    let (heap, nodes) = (page.figure("JSHeapUsedSize") / 1e6, page.figure("Nodes"));
    page.picture("inbox-10000.png");

    inbox.post("/webhook", webhook("firing", "News").to_string()).await;
    let news = page.until(&format!("{FIRST} === 'News'"));
    assert_eq!(page.eval(CARDS), 100, "the oldest card has gone");
    let redrawn =
        page.eval("(() => { const from = performance.now(); redraw(); return performance.now() - from; })()");
    eprintln!(
        "10,000 notifications: shown after {loaded:?}, {heap:.1} MB of heap, {nodes} nodes, all drawn anew in {redrawn} ms, \
         one more shown after {news:?} (polled every second)"
    );
    // A page with all of them would need several times as much.
    assert!(heap < 20.0 && nodes < 10_000.0, "{heap} MB, {nodes} nodes");

    // Older ones are loaded on request, by keyboard too.
    page.eval("document.querySelector('#older').focus()");
    page.key("Enter", 13, "\r");
    page.until(&format!("{CARDS} === 200"));
    assert_eq!(page.eval("held.length + ' ' + held[0].id"), "1000 9002");
    inbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn older_notifications_can_be_loaded_up_to_the_first() {
    let Some(mut page) = Page::open(1_000, 900) else { return };
    let dir = tempfile::tempdir().unwrap();
    history(dir.path(), 620);
    let inbox = Running::start(1_000, Some(dir.path().to_owned()));
    page.go(&inbox.base);
    page.until(&format!("{CARDS} === 100"));
    assert_eq!(page.eval("held[0].id"), 121);
    for cards in [200, 300, 400, 500, 600, 620] {
        assert_eq!(page.eval("document.querySelector('#older').hidden"), false);
        page.eval("older()");
        assert_eq!((page.eval(CARDS), page.eval("held[0].id")), (json!(cards), json!(1)));
    }
    assert_eq!(page.eval("document.querySelector('#older').hidden"), true);
    assert_eq!(page.eval("document.querySelector('#range').textContent"), "");
    assert_eq!(page.eval("[...document.querySelectorAll('#episodes h2')].at(-1).textContent"), "Alert1");
    inbox.stop().await;
}
