//! Mutants that no drill can notice, each with the reason. They are listed and not run.

use super::mutant::{Kind, Mutant};

/// Some mutants and the reason.
pub struct Unnoticed {
    kind: Kind,
    /// The rule, route, inhibit rule or receiver; any if empty.
    of: &'static str,
    /// Part of the change.
    change: &'static str,
    /// Why no drill can notice.
    pub reason: &'static str,
}

/// The mutants of the shipped files that no drill can notice.
pub const UNNOTICED: &[Unnoticed] = &[
    Unnoticed {
        kind: Kind::Inhibition,
        of: "inhibit rule 4",
        change: "",
        reason: "a Redis that is down reports nothing else, so nothing is left to inhibit; the test of inhibition posts such alerts",
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
];

impl Unnoticed {
    /// Whether it is about this mutant.
    #[must_use]
    pub fn is(&self, mutant: &Mutant) -> bool {
        self.kind == mutant.kind
            && (self.of.is_empty() || self.of == mutant.of)
            && mutant.change.contains(self.change)
    }
}

/// Why no drill can notice a mutant; `None` if one must.
#[must_use]
pub fn reason(mutant: &Mutant) -> Option<&'static str> {
    UNNOTICED.iter().find(|it| it.is(mutant)).map(|it| it.reason)
}
