//! One thing to undo, and how that is done.

use serde::{Deserialize, Serialize};

use super::place::Place;
use crate::systems::gateway::Gateway;

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
            Self::Run(argv) => write!(f, "run `{}`", argv.join(" ")),
            Self::Inbox(channel) => write!(f, "let the inbox take {channel} again"),
        }
    }
}

impl Undo {
    /// Does it.
    ///
    /// # Errors
    /// Why that was not possible.
    pub(super) async fn perform(&self, place: &Place) -> Result<(), String> {
        match self {
            Self::Fault(id) => {
                let gateway = Gateway::new(&place.admin, &place.http).map_err(|error| error.to_string())?;
                gateway.lift_fault(id).await.map_err(|error| error.to_string())
            }
            Self::Start(name) => place.order("start", name).await,
            Self::Unpause(name) => place.order("unpause", name).await,
            Self::Run(argv) => place.run(argv).await,
            Self::Inbox(channel) => place.inbox()?.work(channel).await.map_err(|error| error.to_string()),
        }
    }
}
