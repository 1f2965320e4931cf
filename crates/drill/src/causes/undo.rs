//! A single undo action.

use crate::error::DrillError;
use serde::{Deserialize, Serialize};

use crate::causes::stack::Stack;
use clients::gateway::Gateway;

/// A single undo action. Performing it twice, or without the cause ever having been applied, is harmless.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Undo {
    /// Remove the fault with this ID.
    Fault(String),
    /// Start the service.
    Start(String),
    /// Unpause the service.
    Unpause(String),
    /// Run the command.
    Run(Vec<String>),
    /// Stop the failure of this channel at the inbox.
    Inbox(String),
}

impl std::fmt::Display for Undo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Fault(id) => write!(f, "remove the fault {id}"),
            Self::Start(name) => write!(f, "start {name}"),
            Self::Unpause(name) => write!(f, "unpause {name}"),
            Self::Run(argv) => write!(f, "run `{}`", shell(argv)),
            Self::Inbox(channel) => write!(f, "stop the failure of {channel} at the inbox"),
        }
    }
}

/// A command quoted for a shell.
fn shell(argv: &[String]) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    let word = |word: &String| {
        if !word.is_empty() && word.chars().all(plain) {
            word.clone()
        } else {
            format!("'{}'", word.replace('\'', "'\\''"))
        }
    };
    argv.iter().map(word).collect::<Vec<_>>().join(" ")
}

impl Undo {
    /// The command with which a person performs the action on this stack.
    #[must_use]
    pub fn by_hand(&self, stack: &Stack) -> String {
        let order = |verb: &str, name: &String| {
            let control = if stack.control.is_empty() {
                vec!["docker".into(), "compose".into()]
            } else {
                stack.control.clone()
            };
            shell(&[control, vec![verb.to_owned(), name.clone()]].concat())
        };
        let delete = |base: &url::Url, path: &str| {
            let mut url = base.clone();
            // The printed URL must not contain a password; the setters fail only for URLs that cannot have one.
            let _ = url.set_password(None);
            let _ = url.set_username("");
            format!("curl -X DELETE {}{path}", url.as_str().trim_end_matches('/'))
        };
        match self {
            Self::Fault(id) => delete(&stack.admin, &format!("/faults/{id}")),
            Self::Start(name) => order("start", name),
            Self::Unpause(name) => order("unpause", name),
            Self::Run(argv) => shell(argv),
            Self::Inbox(channel) => stack.inbox.as_ref().map_or_else(
                || "restart the inbox".to_owned(),
                |inbox| delete(inbox, &format!("/fail/{channel}")),
            ),
        }
    }

    /// Performs the action.
    ///
    /// # Errors
    /// The system or the command failed.
    pub async fn perform(&self, stack: &Stack) -> Result<(), DrillError> {
        match self {
            Self::Fault(id) => {
                let gateway = Gateway::new(&stack.admin, &stack.http)?;
                Ok(gateway.lift_fault(id).await?)
            }
            Self::Start(name) => stack.order("start", name).await,
            Self::Unpause(name) => stack.order("unpause", name).await,
            Self::Run(argv) => stack.run(argv).await,
            Self::Inbox(channel) => Ok(stack.inbox()?.work(channel).await?),
        }
    }
}
