//! What breaks.

use crate::world::Kind;
use std::fmt;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    RedisKilled,
    RedisPaused,
    RedisSlow,
    DatabaseKilled,
    DatabaseSlow,
    DiskFull,
    ClockAhead,
    ClockBehind,
    NoDescriptors,
    IdleClients,
    GatewayKilled,
    GatewayPaused,
    GatewayRestarted,
}

impl Fault {
    const ALL: [Self; 13] = [
        Self::RedisKilled,
        Self::RedisPaused,
        Self::RedisSlow,
        Self::DatabaseKilled,
        Self::DatabaseSlow,
        Self::DiskFull,
        Self::ClockAhead,
        Self::ClockBehind,
        Self::NoDescriptors,
        Self::IdleClients,
        Self::GatewayPaused,
        Self::GatewayRestarted,
        Self::GatewayKilled,
    ];

    /// Those that a gateway on this database can have.
    pub fn of(kind: Kind) -> Vec<Self> {
        let only = |fault: &Self| match fault {
            Self::DatabaseKilled | Self::DatabaseSlow => kind == Kind::Postgres,
            Self::DiskFull => kind == Kind::Sqlite,
            _ => true,
        };
        Self::ALL.into_iter().filter(only).collect()
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RedisKilled => "Redis killed and started again",
            Self::RedisPaused => "Redis paused",
            Self::RedisSlow => "Redis 200 ms slower",
            Self::DatabaseKilled => "database killed and started again",
            Self::DatabaseSlow => "database 200 ms slower",
            Self::DiskFull => "disk full",
            Self::ClockAhead => "clock one hour ahead",
            Self::ClockBehind => "clock one hour behind",
            Self::NoDescriptors => "no descriptor left",
            Self::IdleClients => "2,000 idle connections of one client",
            Self::GatewayKilled => "gateway killed, as for lack of memory",
            Self::GatewayPaused => "gateway paused",
            Self::GatewayRestarted => "gateway stopped with SIGTERM and started again",
        })
    }
}
