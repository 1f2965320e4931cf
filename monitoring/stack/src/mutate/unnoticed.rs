//! Mutants that no drill can notice, each with the reason. They are listed and not run.

use super::mutant::{Kind, Mutant};

/// Some mutants and the reason.
pub struct Unnoticed {
    kind: Kind,
    /// What the name of the rule, route, inhibit rule or receiver begins with.
    of: &'static str,
    /// Part of the change.
    change: &'static str,
    /// Why no drill can notice.
    pub reason: &'static str,
}

const ALLOTMENT: &str =
    "a drill brings the host above its threshold only by setting an allotment, not without one";
const WINDOWS: &str =
    "the other window still holds its threshold, and they differ only after an hour of traffic";
const STAYS: &str = "a container in a drill that stays up would be missing at the end of the drill";

const SCRAPES: &str = "scrapes and probes are too few requests to change a ratio of thirty";
const BETWEEN: &str =
    "the suite lets this alert fire beside any drill, because traffic changes from drill to drill";

/// The mutants of the shipped files that no drill can notice. Unit tests of the rules hold most of them.
pub const UNNOTICED: &[Unnoticed] = &[
    Unnoticed {
        kind: Kind::Inhibition,
        of: "inhibit rule 4",
        change: "",
        reason: "while Redis is down, none of its other alerts can fire, so there is nothing to inhibit; an end-to-end test posts such alerts instead",
    },
    Unnoticed {
        kind: Kind::Equal,
        of: "inhibit rule 1",
        change: "job",
        reason: "no two jobs have alerts on one symptom",
    },
    Unnoticed {
        kind: Kind::Equal,
        of: "inhibit rule 4",
        change: "job",
        reason: "all alerts of the service redis have the job redis",
    },
    Unnoticed {
        kind: Kind::Branch,
        of: "instance:host_allotment_",
        change: "or on (job, instance) label_replace",
        reason: ALLOTMENT,
    },
    Unnoticed {
        kind: Kind::Matcher,
        of: "instance:host_allotment_",
        change: "job=\"nodex\" (number 2)",
        reason: ALLOTMENT,
    },
    Unnoticed {
        kind: Kind::Source,
        of: "instance:host_allotment_",
        change: "node_boot_time_seconds",
        reason: ALLOTMENT,
    },
    Unnoticed {
        kind: Kind::Matcher,
        of: "ExcessiveHttp500",
        change: "route!~",
        reason: "no probe ever responds 500",
    },
    Unnoticed {
        kind: Kind::Matcher,
        of: "HighInFlight",
        change: "route!~",
        reason: "probes respond at once, so that none are in flight together",
    },
    Unnoticed {
        kind: Kind::Matcher,
        of: "HostDiskFull",
        change: "fstype!~",
        reason: "both sides of the division exclude the same, so that one alone adds nothing",
    },
    Unnoticed { kind: Kind::Matcher, of: "TrafficSpike", change: "route!~", reason: SCRAPES },
    Unnoticed { kind: Kind::Matcher, of: "TrafficDrop", change: "route!~", reason: SCRAPES },
    Unnoticed { kind: Kind::LowThreshold, of: "TrafficSpike", change: "> 1 ->", reason: BETWEEN },
    Unnoticed { kind: Kind::LowThreshold, of: "TrafficDrop", change: "> 1 ->", reason: BETWEEN },
    Unnoticed { kind: Kind::LowThreshold, of: "ErrorBudgetBurn", change: "> 14.4", reason: WINDOWS },
    Unnoticed { kind: Kind::LowThreshold, of: "ErrorBudgetBurn", change: "> 6", reason: WINDOWS },
    Unnoticed {
        kind: Kind::LowThreshold,
        of: "APINoTraffic",
        change: "> 0 ->",
        reason: "the suite lets this alert fire beside any drill, because traffic stops between drills",
    },
    Unnoticed {
        kind: Kind::LowThreshold,
        of: "PipelineStalled",
        change: "> 0 ->",
        reason: "the suite lets this alert fire beside any drill, because readings stop when a drill ends",
    },
    Unnoticed {
        kind: Kind::LowThreshold,
        of: "RateLimitHits",
        change: "> 50",
        reason: "traffic beyond the quota of 100/s is refused far more often than the threshold allows",
    },
    Unnoticed {
        kind: Kind::LowThreshold,
        of: "RateLimiterDegraded",
        change: "> 0.05",
        reason: "a drill cannot hold a share of late decisions below the threshold",
    },
    Unnoticed {
        kind: Kind::Matcher,
        of: "ContainerDown",
        change: "name!=\"\" -> namex!=\"\" (number 3)",
        reason: STAYS,
    },
    Unnoticed {
        kind: Kind::Matcher,
        of: "ContainerDown",
        change: "job=\"cadvisorx\" (number 2)",
        reason: STAYS,
    },
];

impl Unnoticed {
    /// Whether it is about this mutant.
    #[must_use]
    pub fn is(&self, mutant: &Mutant) -> bool {
        self.kind == mutant.kind && mutant.of.starts_with(self.of) && mutant.change.contains(self.change)
    }
}

/// Why no drill can notice a mutant; `None` if one must.
#[must_use]
pub fn reason(mutant: &Mutant) -> Option<&'static str> {
    UNNOTICED.iter().find(|it| it.is(mutant)).map(|it| it.reason)
}
