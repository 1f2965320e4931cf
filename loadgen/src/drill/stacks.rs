//! The stacks of a run of drills: from a file, from the addresses, or started for the run.

use std::fs;
use std::path::PathBuf;

use url::Url;

use crate::drill::args::{Args, Receiver};
use clients::alertmanager::Alertmanagers;
use clients::backend::Backend;
use clients::inbox::Inbox;
use clients::{HttpConfig, SystemError};
use common::console;
use drill::causes::stack::Stack;
use drill::context::Systems;
use drill::error::DrillError;

/// Default address of a stack's inbox.
const DEFAULT_INBOX: &str = "http://127.0.0.1:8025";

/// Restacks this process with `stack run --shards N` around the same command. Returns only on failure, with the reason.
pub fn exec_with_shards(shards: u8, scale: f64) -> String {
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
        "--shards: cannot start `{}`: {error}; build `stack` too, so that it is in the directory of `loadgen`",
        stack.display()
    )
}

/// The stacks to drill: those of the file, or the one given by the addresses.
pub async fn resolve(args: &Args) -> Result<Vec<Stack>, DrillError> {
    if let Some(path) = &args.stacks {
        let failed = |reason: String| DrillError::Stack(format!("--stacks: {}: {reason}", path.display()));
        let text = fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
        let mut stacks: Vec<Stack> =
            serde_json::from_str(&text).map_err(|error| failed(error.to_string()))?;
        for stack in stacks.iter_mut().filter(|stack| stack.http == HttpConfig::default()) {
            stack.http = args.http();
        }
        return if stacks.is_empty() { Err(failed("contains no stacks".to_owned())) } else { Ok(stacks) };
    }
    let control = args.control.as_deref().unwrap_or_default();
    Ok(vec![Stack {
        target: args.target.clone(),
        admin: args.admin.clone(),
        prometheus: args.prometheus[0].clone(),
        alertmanager: args.alertmanager[0].clone(),
        alertmanagers: args.alertmanager[1..].to_vec(),
        backend: args.backend(),
        inbox: inbox(args.inbox.as_ref()).await?,
        control: control.split_whitespace().map(str::to_owned).collect(),
        peer_timeout: args.peer_timeout,
        http: args.http(),
        env: std::collections::BTreeMap::new(),
    }])
}

/// The given inbox, else the default one if it responds.
async fn inbox(named: Option<&Receiver>) -> Result<Option<Url>, DrillError> {
    match named {
        Some(Receiver::Inbox(url)) => return Ok(Some(url.clone())),
        Some(Receiver::None) => return Ok(None),
        None => {}
    }
    let default: Url =
        DEFAULT_INBOX.parse().map_err(|error| DrillError::Stack(format!("{DEFAULT_INBOX}: {error}")))?;
    let inbox = Inbox::new(&default, &HttpConfig::default())?;
    if inbox.heartbeat().await.is_ok() {
        return Ok(Some(default));
    }
    console::line(format_args!(
        "no inbox at {DEFAULT_INBOX}: delivery is checked by Alertmanager's counters only (set --inbox URL to use an inbox)"
    ));
    Ok(None)
}

pub fn connect(stack: &Stack) -> Result<Systems, SystemError> {
    Ok(Systems {
        prometheus: Backend::new(&stack.prometheus, &stack.backend, &stack.http)?,
        alertmanager: Alertmanagers::new(&stack.alertmanager, &stack.alertmanagers, &stack.http)?,
        inbox: stack.inbox.as_ref().map(|url| Inbox::new(url, &stack.http)).transpose()?,
    })
}
