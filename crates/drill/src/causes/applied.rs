//! What traffic came to, held against what the drill states.

use std::collections::BTreeMap;

use serde::Serialize;

use load::record::Ledger;
use load::spec::load::LoadSpec;

/// Below this part of the stated rate, the traffic was not what the drill describes.
const RATE: f64 = 0.9;
/// Of a mix, half of the answers to its rarest request may be unexpected, but at least and at most these parts of all.
const UNEXPECTED: (f64, f64) = (0.01, 0.1);
/// Where something else is done to the target, answers may well be others: not most of them in a control.
const UNDER_FAULT: f64 = 0.5;

/// What the generator did: while the cause lasted, or, in a control whose cause has no traffic of its own, all along.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Applied {
    /// Requests per second the drill asks for.
    pub stated_rate: f64,
    /// Answers per second, of any status.
    pub achieved_rate: f64,
    /// How long, seconds.
    pub seconds: f64,
    /// Answers, of any status.
    pub answers: u64,
    /// Answers with a status the drill did not expect.
    pub unexpected: u64,
    /// Answers by status, expected or not.
    pub statuses: BTreeMap<u16, u64>,
    /// Refused, reset, timed out, malformed.
    pub transport_errors: u64,
    /// The generator's own fault, and what it did not send for its own limits.
    pub own_errors: u64,
    /// The part of the answers that the rarest request of the mix has, 0 to 1.
    #[serde(skip)]
    pub rarest: f64,
}

impl Applied {
    /// From what a run of `load` that went on for `seconds` has on its ledger.
    #[must_use]
    pub fn new(load: &LoadSpec, ledger: &Ledger, statuses: &BTreeMap<u16, u64>, seconds: f64) -> Self {
        let answers = ledger.expected + ledger.unexpected;
        let rarest = load.requests.iter().map(|rarest| load.share(|request| request == rarest));
        Self {
            stated_rate: load.rate.per_second(),
            achieved_rate: if seconds > 0.0 { answers as f64 / seconds } else { 0.0 },
            seconds,
            answers,
            unexpected: ledger.unexpected,
            statuses: statuses.clone(),
            transport_errors: ledger.transport_errors,
            // What is accounted for nowhere, or twice, is the generator's fault, too.
            own_errors: ledger.local_errors + ledger.shed + ledger.scheduled.abs_diff(ledger.accounted()),
            rarest: rarest.fold(1.0, f64::min),
        }
    }

    /// Why it was too little, if so.
    #[must_use]
    pub fn too_little(&self) -> Option<String> {
        (self.achieved_rate < self.stated_rate * RATE).then(|| {
            format!(
                "{:.1} answers a second of {:.1}, {} transport errors, {} of the generator's own",
                self.achieved_rate, self.stated_rate, self.transport_errors, self.own_errors
            )
        })
    }

    /// Why it was other traffic than stated, if so; `acts` is whether something is done to the target beside it.
    #[must_use]
    pub fn other(&self, acts: bool) -> Option<String> {
        let tolerated =
            if acts { UNDER_FAULT } else { (self.rarest / 2.0).clamp(UNEXPECTED.0, UNEXPECTED.1) };
        self.unexpected().filter(|_| self.unexpected as f64 >= self.answers as f64 * tolerated)
    }

    /// `24 of 300 answers had a status the drill does not expect (by status: 200: 276, 404: 24)`, if any had.
    #[must_use]
    pub fn unexpected(&self) -> Option<String> {
        let statuses: Vec<_> =
            self.statuses.iter().map(|(status, count)| format!("{status}: {count}")).collect();
        (self.unexpected > 0).then(|| {
            format!(
                "{} of {} answers had a status the drill does not expect (by status: {})",
                self.unexpected,
                self.answers,
                statuses.join(", ")
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(unexpected: u64, rarest: f64) -> Applied {
        let statuses = BTreeMap::from([(200, 1_000 - unexpected), (404, unexpected)]);
        Applied { answers: 1_000, unexpected, statuses, rarest, ..Applied::default() }
    }

    #[test]
    fn traffic_is_another_when_as_good_as_a_request_of_the_mix_is_answered_otherwise() {
        for (unexpected, rarest, acts, other) in [
            (0, 1.0, false, false),
            (99, 1.0, false, false),
            (100, 1.0, false, true),
            (80, 0.08, false, true),
            (40, 0.08, false, true),
            (39, 0.08, false, false),
            (9, 0.001, false, false),
            (10, 0.001, false, true),
            (499, 0.08, true, false),
            (500, 0.08, true, true),
        ] {
            let applied = applied(unexpected, rarest);
            assert_eq!(applied.other(acts).is_some(), other, "{unexpected} of 1000, {rarest}, {acts}");
        }
        assert_eq!(
            applied(100, 1.0).other(false).unwrap(),
            "100 of 1000 answers had a status the drill does not expect (by status: 200: 900, 404: 100)"
        );
    }

    #[test]
    fn the_rarest_request_is_known_by_its_weight() {
        let load: LoadSpec = serde_saphyr::from_str(
            "rate: 40/s\nrequests: [{weight: 92, get: /a}, {weight: 8, get: /b, expect: 500}]\n",
        )
        .unwrap();
        let ledger =
            Ledger { scheduled: 80, expected: 70, unexpected: 6, transport_errors: 4, ..Ledger::default() };
        let applied = Applied::new(&load, &ledger, &BTreeMap::new(), 2.0);
        assert!((applied.rarest - 0.08).abs() < 1e-9);
        assert_eq!((applied.answers, applied.achieved_rate, applied.own_errors), (76, 38.0, 0));
        assert_eq!((applied.too_little(), applied.unexpected().is_some()), (None, true));
        assert!(
            Applied { achieved_rate: 35.0, ..applied }.too_little().unwrap().contains("4 transport errors")
        );
    }
}
