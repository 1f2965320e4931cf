//! Errors log one line each on standard output, and nothing else.

use crate::{helpers::header, process::running::Running};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[tokio::test]
async fn every_error_is_one_line_and_nothing_goes_to_standard_error() {
    let mut api = Running::start(&["--drain-delay", "0s"]);
    let fault = json!({"route": "/cpu", "panic": true, "ttl": "10m"});
    let put = api.client.put(format!("{}/faults/boom", api.admin)).json(&fault).send().await.unwrap();
    assert_eq!(put.status(), 201);
    let mut requested = BTreeMap::new();
    for (path, status, level) in [
        ("/cpu?value=1", 500, "ERROR"),
        ("/error", 500, "INFO"),
        ("/error?status=503", 503, "INFO"),
        ("/api/users/none", 404, "INFO"),
        ("/update?users=-1", 422, "INFO"),
        ("/nowhere", 404, "INFO"),
    ] {
        let response = api.client.get(format!("{}{path}", api.base)).send().await.unwrap();
        assert_eq!(response.status(), status, "{path}");
        requested.insert(header(&response, "x-request-id").to_owned(), (status, level));
    }
    api.signal(Signal::SIGTERM);
    assert_eq!(api.ended().await.code(), Some(0));
    let lines: Vec<Value> = api.lines.iter().collect();
    for (id, (status, level)) in requested {
        let of_it: Vec<&Value> = lines.iter().filter(|line| line["request_id"] == id.as_str()).collect();
        let [line] = of_it[..] else { panic!("{} lines for a {status}: {of_it:?}", of_it.len()) };
        assert_eq!((&line["status"], &line["level"]), (&json!(status), &json!(level)), "{line}");
    }
    assert_eq!(api.standard_error(), "");
}
