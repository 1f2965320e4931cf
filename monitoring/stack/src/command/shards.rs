//! Several isolated stacks for one command, and the file that describes them.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::{error::Error, service::TEXTFILES, settings::Settings, stack::Stack};

/// The stacks of one `stack run`.
#[derive(Debug)]
pub struct Shards {
    /// At least one.
    pub stacks: Vec<Stack>,
}

impl Shards {
    /// Starts `count` stacks below `dir`, one after the other, so that their starts do not slow each other down beyond
    /// their limits. A single stack uses `dir` itself. They use the files in `monitoring`, by default the repository's.
    ///
    /// # Errors
    /// The error of the first that failed; the earlier ones are stopped.
    pub async fn start(
        dir: &Path,
        count: usize,
        scale: f64,
        monitoring: Option<&Path>,
    ) -> Result<Self, Error> {
        let mut shards = Self { stacks: Vec::new() };
        for number in 1..=count {
            let dir = if count == 1 { dir.to_owned() } else { dir.join(number.to_string()) };
            let settings = Settings::isolated(dir, scale).map(|settings| match monitoring {
                Some(monitoring) => Settings { monitoring: monitoring.to_owned(), ..settings },
                None => settings,
            });
            let started = match settings {
                Ok(settings) if count == 1 => Stack::start(settings, |line| println!("{line}")).await,
                Ok(settings) => Stack::start(settings, |_| ()).await,
                Err(error) => Err(error),
            };
            match started {
                Ok(stack) => shards.stacks.push(stack),
                Err(error) => {
                    shards.stop().await;
                    return Err(error);
                }
            }
            if count > 1 {
                println!("  stack {number} of {count} is ready");
            }
        }
        Ok(shards)
    }

    /// Stops all of them concurrently.
    pub async fn stop(self) {
        let stopping: Vec<_> = self.stacks.into_iter().map(|stack| tokio::spawn(stack.stop())).collect();
        for stopped in stopping {
            let _ = stopped.await; // a failed stop has killed its processes on drop
        }
    }

    /// Supervises all of them until dropped.
    pub async fn tend(&mut self) {
        let tending = self.stacks.iter_mut().map(|stack| Box::pin(stack.tend(|line| println!("{line}"))));
        futures_util::future::select_all(tending).await;
    }

    /// The description of each stack for the command: addresses, the control command, and the environment with its
    /// files.
    #[must_use]
    pub fn description(&self) -> Value {
        self.stacks.iter().map(describe).collect()
    }
}

fn describe(stack: &Stack) -> Value {
    let settings = stack.settings();
    let dir = &settings.dir;
    let path = |below: &str| dir.join(below).display().to_string();
    json!({
        "target": stack.url("api"),
        "admin": format!("http://127.0.0.1:{}", settings.ports.api_admin),
        "prometheus": stack.url("prometheus"),
        "alertmanager": stack.url("alertmanager"),
        "inbox": stack.url("inbox"),
        "control": control(dir),
        "env": {
            "STACK_CONTROL": control(dir).join(" "),
            "PATH": path_with_tools(),
            "REDIS_PORT": settings.ports.redis.to_string(),
            "REDISCLI_AUTH": stack.redis().admin(),
            "CONFIG_DIR": path("config"),
            "MODELS_DIR": path("data/models"),
            "TEXTFILES_DIR": path(&format!("data/{TEXTFILES}")),
            "PROOFS_DIR": settings.proofs.display().to_string(),
        },
    })
}

/// The PATH, with the programs of `make setup` at its end.
fn path_with_tools() -> String {
    let tools = std::env::var("STACK_TOOLS")
        .unwrap_or_else(|_| process::program::repository().join("target/tools/bin").display().to_string());
    format!("{}:{tools}", std::env::var("PATH").unwrap_or_default())
}

/// The command that controls this stack's services: this program and the folder of the stack.
fn control(dir: &Path) -> Vec<String> {
    let exe = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("stack"));
    // The executable of a test is not `stack`, which is one folder above.
    let exe = match exe.parent() {
        Some(folder) if folder.ends_with("deps") => folder.with_file_name("stack"),
        _ => exe,
    };
    vec![exe.display().to_string(), "service".into(), "--dir".into(), dir.display().to_string()]
}
