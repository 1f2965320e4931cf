//! Mutants that no drill can notice, each with the reason. They are listed and not run.

use super::mutant::{Kind, Mutant};

/// Some mutants and the reason.
pub struct Unnoticed {
    kind: Kind,
    /// Start of the name of the rule, route, inhibit rule or receiver.
    of: &'static str,
    /// Part of the change.
    change: &'static str,
    /// Why no drill can notice.
    pub reason: &'static str,
}

const ALLOTMENT: &str = "drills bring the host above its threshold by setting an allotment, so the part for hosts without one is not used";
const WINDOWS: &str =
    "the other window keeps its threshold, and the two windows differ only after an hour of traffic";
const STAYS: &str =
    "a drill has no container that stays up, because the alert would fire for it when the drill ends";

const SCRAPES: &str = "scrapes and probes are too few requests to change a ratio of thirty";
const BETWEEN: &str =
    "the suite allows this alert during any drill, because traffic changes from drill to drill";
const BEFORE: &str = "drills always have traffic before the cause";

/// The mutants of the shipped files that no drill can notice. Unit tests of the rules cover most of them.
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
        reason: "alerts with the same symptom also have the same job",
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
        reason: "probes never respond with 500",
    },
    Unnoticed { kind: Kind::Matcher, of: "APINoTraffic", change: "metrics\" (number 2)", reason: BEFORE },
    Unnoticed {
        kind: Kind::Matcher,
        of: "job:slo_errors:ratio_rate",
        change: "metrics\" (number 1)",
        reason: "the alert reads two windows, and the other one excludes the errors of probes",
    },
    Unnoticed {
        kind: Kind::Matcher,
        of: "job:slo_requests:rate6h",
        change: "route!~",
        reason: "no drill has many errors of few users beside many probes",
    },
    Unnoticed {
        kind: Kind::Matcher,
        of: "PrometheusTargetDown",
        change: "job!~",
        reason: "the gateway is started again before the group wait of a warning is over",
    },
    Unnoticed {
        kind: Kind::Matcher,
        of: "HighInFlight",
        change: "route!~",
        reason: "probes respond immediately, so they do not raise the number of requests in flight",
    },
    Unnoticed {
        kind: Kind::Matcher,
        of: "HostDiskFull",
        change: "fstype!~",
        reason: "both sides of the division exclude the same file systems, so a change of one side adds no series",
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
        reason: "the suite allows this alert during any drill, because traffic stops between drills",
    },
    Unnoticed {
        kind: Kind::LowThreshold,
        of: "PipelineStalled",
        change: "> 0 ->",
        reason: "the suite allows this alert during any drill, because readings stop when a drill ends",
    },
    Unnoticed {
        kind: Kind::LowThreshold,
        of: "RateLimitHits",
        change: "> 50",
        reason: "traffic above the quota of 100/s causes far more refusals than the threshold",
    },
    Unnoticed {
        kind: Kind::LowThreshold,
        of: "RateLimiterDegraded",
        change: "> 0.05",
        reason: "a drill cannot keep the share of late decisions just below the threshold",
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
