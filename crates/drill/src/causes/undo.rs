//! One thing to undo, and how that is done.

use crate::error::DrillError;
use serde::{Deserialize, Serialize};

use crate::causes::stack::Stack;
use clients::gateway::Gateway;

/// One thing to undo; doing so twice, or when it was never done, does no harm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Undo {
    /// Lift the fault of this id.
    Fault(String),
    /// Start the service.
    Start(String),
    /// Let the service go on.
    Unpause(String),
    /// Run the command.
    Run(Vec<String>),
    /// Let the channel of the inbox work again.
    Inbox(String),
}

impl std::fmt::Display for Undo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Fault(id) => write!(f, "lift the fault {id}"),
            Self::Start(name) => write!(f, "start {name}"),
            Self::Unpause(name) => write!(f, "let {name} go on"),
            Self::Run(argv) => write!(f, "run `{}`", shell(argv)),
            Self::Inbox(channel) => write!(f, "let the inbox take {channel} again"),
        }
    }
}

/// A command as a shell takes it.
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
    /// What a person types to do it at this place.
    #[must_use]
    pub fn by_hand(&self, place: &Stack) -> String {
        let order = |verb: &str, name: &String| {
            let control = if place.control.is_empty() {
                vec!["docker".into(), "compose".into()]
            } else {
                place.control.clone()
            };
            shell(&[control, vec![verb.to_owned(), name.clone()]].concat())
        };
        let delete = |base: &url::Url, path: &str| {
            let mut url = base.clone();
            // A password is no part of what is printed; an address that takes none has none to lose.
            let _ = url.set_password(None);
            let _ = url.set_username("");
            format!("curl -X DELETE {}{path}", url.as_str().trim_end_matches('/'))
        };
        match self {
            Self::Fault(id) => delete(&place.admin, &format!("/faults/{id}")),
            Self::Start(name) => order("start", name),
            Self::Unpause(name) => order("unpause", name),
            Self::Run(argv) => shell(argv),
            Self::Inbox(channel) => place.inbox.as_ref().map_or_else(
                || "restart the inbox".to_owned(),
                |inbox| delete(inbox, &format!("/fail/{channel}")),
            ),
        }
    }

    /// Does it.
    ///
    /// # Errors
    /// Why that was not possible.
    pub async fn perform(&self, place: &Stack) -> Result<(), DrillError> {
        match self {
            Self::Fault(id) => {
                let gateway = Gateway::new(&place.admin, &place.http)?;
                Ok(gateway.lift_fault(id).await?)
            }
            Self::Start(name) => place.order("start", name).await,
            Self::Unpause(name) => place.order("unpause", name).await,
            Self::Run(argv) => place.run(argv).await,
            Self::Inbox(channel) => Ok(place.inbox()?.work(channel).await?),
        }
    }
}
