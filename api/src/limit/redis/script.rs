//! The scripts that run in Redis, and their replies.

use super::connection::Connection;
use crate::limit::quota::Quota;
use redis::{Cmd, ErrorKind, FromRedisValue, RedisError, Script, ServerErrorKind};
use std::time::Duration;

/// One policy's check as sent to Redis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptCheck {
    /// The complete name of the key.
    pub key: String,
    /// The policy's quota.
    pub quota: Quota,
    /// Cost of the request in units, at most the burst.
    pub cost: u64,
    /// Whether a refusal is only counted.
    pub shadow: bool,
}

/// Redis's reply for one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The sum of 2^i over the checks i, from 0, that refuse the request.
    pub refusing: u64,
    /// Redis's clock at the decision, in microseconds since 1970.
    pub now_us: u64,
    /// Each policy's balance in ticks after the decision, in the order of the checks.
    pub balances: Vec<u64>,
}

/// A script, sent by its hash, and in full only to a server that does not have it.
struct Known {
    source: &'static str,
    hash: String,
}

/// All scripts.
pub(super) struct Scripts {
    gcra: Known,
    instances: Known,
}

impl Known {
    fn new(source: &'static str) -> Self {
        Self { source, hash: Script::new(source).get_hash().to_owned() }
    }

    /// Runs the script; `rest` adds the number of keys, the keys and the arguments.
    async fn run<T: FromRedisValue>(
        &self,
        connection: &mut Connection,
        rest: impl Fn(&mut Cmd),
    ) -> Result<T, RedisError> {
        let command = |word: &str, script: &str| {
            let mut command = redis::cmd(word);
            command.arg(script);
            rest(&mut command);
            command
        };
        match command("EVALSHA", &self.hash).query_async(connection).await {
            // EVAL rather than SCRIPT LOAD and the hash again: a flush in between cannot break it.
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                command("EVAL", self.source).query_async(connection).await
            }
            other => other,
        }
    }
}

impl Scripts {
    pub(super) fn new() -> Self {
        Self {
            gcra: Known::new(include_str!("gcra.lua")),
            instances: Known::new(include_str!("instances.lua")),
        }
    }

    /// Decides one request by all its policies.
    pub(super) async fn decide(
        &self,
        connection: &mut Connection,
        batch: &[ScriptCheck],
    ) -> Result<Reply, RedisError> {
        let arguments = |command: &mut Cmd| {
            command.arg(batch.len());
            for check in batch {
                command.arg(&check.key);
            }
            for ScriptCheck { quota, cost, shadow, .. } in batch {
                command.arg(quota.count()).arg(quota.period_us()).arg(quota.burst());
                command.arg(*cost).arg(u8::from(*shadow));
            }
        };
        let numbers: Vec<i64> = self.gcra.run(connection, arguments).await?;
        let unexpected =
            || RedisError::from((ErrorKind::UnexpectedReturnType, "unexpected reply from the script"));
        let [refusing, now_us, balances @ ..] = &numbers[..] else { return Err(unexpected()) };
        if balances.len() != batch.len() {
            return Err(unexpected());
        }
        let unsigned = |number: &i64| u64::try_from(*number).map_err(|_| unexpected());
        Ok(Reply {
            refusing: unsigned(refusing)?,
            now_us: unsigned(now_us)?,
            balances: balances.iter().map(unsigned).collect::<Result<_, _>>()?,
        })
    }

    /// Registers gateway `name` until `limit` from now; returns the number of registered gateways.
    pub(super) async fn instances(
        &self,
        connection: &mut Connection,
        prefix: &str,
        name: &str,
        limit: Duration,
    ) -> Result<u64, RedisError> {
        let key = format!("{prefix}instances");
        let arguments = |command: &mut Cmd| {
            command.arg(1).arg(&key).arg(name).arg(limit.as_millis() as u64);
        };
        self.instances.run(connection, arguments).await
    }

    /// A real decision on a separate key: it proves that the script runs and that Redis accepts writes, which a PING
    /// does not (read-only replica, out of memory). In a cluster every primary must respond as well.
    pub(super) async fn probe(&self, connection: &mut Connection, prefix: &str) -> Result<(), RedisError> {
        if let Connection::Cluster(_) = connection {
            let () = redis::cmd("PING").query_async(connection).await?;
        }
        // A burst of a thousand that refills in a millisecond: always admitted, so always written.
        let quota = Quota::new(1000, 1000, 1000).expect("the quota of the probe is valid");
        let check = ScriptCheck { key: format!("{prefix}probe"), quota, cost: 1, shadow: false };
        self.decide(connection, &[check]).await.map(drop)
    }
}
