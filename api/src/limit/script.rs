//! What Redis is asked, and what it answers.

use super::{connection::Connection, gcra::Quota};
use redis::{ErrorKind, RedisError, Script};
use std::time::Duration;

/// What one policy asks Redis about one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The key's whole name.
    pub key: String,
    /// What the policy grants.
    pub quota: Quota,
    /// Units the request takes, at most the burst.
    pub cost: u64,
    /// Whether a refusal counts without refusing.
    pub shadow: bool,
}

/// Redis's answer to one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The sum of 2^i over the questions i, from 0, that cannot afford the request.
    pub refusing: u64,
    /// Redis's clock at the decision, microseconds since 1970.
    pub now_us: u64,
    /// Each policy's debt in ticks after the decision, in the order asked.
    pub debts: Vec<u64>,
}

/// The scripts. Each is sent by its hash, and whole only to a server that has not seen it.
pub(super) struct Scripts {
    gcra: Script,
    instances: Script,
}

impl Scripts {
    pub(super) fn new() -> Self {
        Self {
            gcra: Script::new(include_str!("gcra.lua")),
            instances: Script::new(include_str!("instances.lua")),
        }
    }

    /// Decides one request by all its policies.
    pub(super) async fn decide(
        &self,
        connection: &mut Connection,
        questions: &[Question],
    ) -> Result<Reply, RedisError> {
        let mut call = self.gcra.prepare_invoke();
        for Question { key, quota, cost, shadow } in questions {
            call.key(key).arg(quota.count()).arg(quota.period_us()).arg(quota.burst());
            call.arg(*cost).arg(u8::from(*shadow));
        }
        let numbers: Vec<i64> = call.invoke_async(connection).await?;
        let unexpected =
            || RedisError::from((ErrorKind::UnexpectedReturnType, "the script's reply is not ours"));
        let [refusing, now_us, debts @ ..] = &numbers[..] else { return Err(unexpected()) };
        if debts.len() != questions.len() {
            return Err(unexpected());
        }
        let unsigned = |number: &i64| u64::try_from(*number).map_err(|_| unexpected());
        Ok(Reply {
            refusing: unsigned(refusing)?,
            now_us: unsigned(now_us)?,
            debts: debts.iter().map(unsigned).collect::<Result<_, _>>()?,
        })
    }

    /// Says that gateway `name` is here, to count until `limit` from now; gives how many count.
    pub(super) async fn instances(
        &self,
        connection: &mut Connection,
        prefix: &str,
        name: &str,
        limit: Duration,
    ) -> Result<u64, RedisError> {
        let mut call = self.instances.key(format!("{prefix}instances"));
        call.arg(name).arg(limit.as_millis() as u64);
        call.invoke_async(connection).await
    }

    /// A real decision on a key of its own: proves that the script runs and that Redis takes writes, which a PING
    /// would not (read-only replica, out of memory). Of a cluster every primary must answer besides.
    pub(super) async fn probe(&self, connection: &mut Connection, prefix: &str) -> Result<(), RedisError> {
        if let Connection::Cluster(_) = connection {
            let () = redis::cmd("PING").query_async(connection).await?;
        }
        // A thousand at once, whole again in a millisecond: always admitted, so always written.
        let quota = Quota::new(1000, 1000, 1000).expect("small numbers are exact");
        let question = Question { key: format!("{prefix}probe"), quota, cost: 1, shadow: false };
        self.decide(connection, &[question]).await.map(drop)
    }
}
