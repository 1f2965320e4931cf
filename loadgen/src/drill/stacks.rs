//! The stacks a run of drills goes to: those of a file, the one the addresses name, or some started for it.

use std::fs;
use std::path::PathBuf;

use url::Url;

use crate::drill::args::{Args, Receiver};
use clients::alertmanager::Alertmanager;
use clients::inbox::Inbox;
use clients::prometheus::Prometheus;
use clients::{HttpConfig, SystemError};
use common::console;
use drill::causes::stack::Stack;
use drill::context::Systems;
use drill::error::DrillError;

/// Where the inbox of a stack of ours listens.
const USUAL_INBOX: &str = "http://127.0.0.1:8025";

/// Becomes `stack run --shards N` around this very command; comes back only with why that was not possible.
pub fn on_stacks_of_its_own(shards: u8, scale: f64) -> String {
    use std::os::unix::process::CommandExt;
    let exe = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("loadgen"));
    let beside = exe.with_file_name("stack");
    let stack = if beside.is_file() { beside } else { PathBuf::from("stack") };
    let mut arguments: Vec<std::ffi::OsString> = Vec::new();
    let mut given = std::env::args_os().skip(1);
    while let Some(argument) = given.next() {
        match argument.to_str() {
            Some("--shards") => drop(given.next()),
            Some(text) if text.starts_with("--shards=") => {}
            _ => arguments.push(argument),
        }
    }
    let mut command = std::process::Command::new(&stack);
    command
        .args(["run", "--shards", &shards.to_string(), "--scale", &scale.to_string(), "--"])
        .arg(exe)
        .args(arguments);
    let error = command.exec();
    format!(
        "--shards: `{}` could not be started: {error}; the `stack` program starts the stacks, and lies beside `loadgen` \
         when both are built",
        stack.display()
    )
}

/// The stacks to drill: those of the file, or the one the addresses name.
pub async fn places(args: &Args) -> Result<Vec<Stack>, DrillError> {
    if let Some(path) = &args.stacks {
        let failed = |reason: String| DrillError::Stack(format!("--stacks: {}: {reason}", path.display()));
        let text = fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
        let mut places: Vec<Stack> =
            serde_json::from_str(&text).map_err(|error| failed(error.to_string()))?;
        for place in places.iter_mut().filter(|place| place.http == HttpConfig::default()) {
            place.http = args.http.config();
        }
        return if places.is_empty() { Err(failed("it lists no stack".to_owned())) } else { Ok(places) };
    }
    let control = args.control.as_deref().unwrap_or_default();
    Ok(vec![Stack {
        target: args.target.clone(),
        admin: args.admin.clone(),
        prometheus: args.prometheus.clone(),
        alertmanager: args.alertmanager.clone(),
        inbox: inbox(args.inbox.as_ref()).await?,
        control: control.split_whitespace().map(str::to_owned).collect(),
        http: args.http.config(),
        env: std::collections::BTreeMap::new(),
    }])
}

/// The inbox that was named, else the one of a stack of ours if it answers.
async fn inbox(named: Option<&Receiver>) -> Result<Option<Url>, DrillError> {
    match named {
        Some(Receiver::Inbox(url)) => return Ok(Some(url.clone())),
        Some(Receiver::Nobody) => return Ok(None),
        None => {}
    }
    let usual: Url =
        USUAL_INBOX.parse().map_err(|error| DrillError::Stack(format!("{USUAL_INBOX}: {error}")))?;
    let inbox = Inbox::new(&usual, &HttpConfig::default())?;
    if inbox.heartbeat().await.is_ok() {
        return Ok(Some(usual));
    }
    console::line(format_args!(
        "no inbox answers at {USUAL_INBOX}: delivery is counted by Alertmanager, not seen (--inbox URL names one)"
    ));
    Ok(None)
}

pub fn connect(place: &Stack) -> Result<Systems, SystemError> {
    Ok(Systems {
        prometheus: Prometheus::new(&place.prometheus, &place.http)?,
        alertmanager: Alertmanager::new(&place.alertmanager, &place.http)?,
        inbox: place.inbox.as_ref().map(|url| Inbox::new(url, &place.http)).transpose()?,
    })
}
