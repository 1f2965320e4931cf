//! Measured traffic compared with the traffic a drill states.

use std::collections::BTreeMap;

use serde::Serialize;

use load::record::Ledger;
use load::spec::load::LoadSpec;

/// The smallest part of the stated rate at which traffic still counts as what the drill describes.
const RATE: f64 = 0.9;
/// For a mix, half of the responses to its rarest request may be unexpected, within these limits as parts of all responses.
const UNEXPECTED: (f64, f64) = (0.01, 0.1);
/// Where the cause acts on the target, responses may differ; in a control at most this part of them.
const UNDER_FAULT: f64 = 0.5;

/// What the load generator measured while the cause lasted or, in a control whose cause has no traffic, during the whole
/// drill.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Applied {
    /// Requests per second that the drill states.
    pub stated_rate: f64,
    /// Responses per second, of any status.
    pub achieved_rate: f64,
    /// Duration in seconds.
    pub seconds: f64,
    /// Responses of any status.
    pub responses: u64,
    /// Responses with a status the drill did not expect.
    pub unexpected: u64,
    /// Responses by status, expected or not.
    pub statuses: BTreeMap<u16, u64>,
    /// Requests that were refused, reset, malformed or timed out.
    pub transport_errors: u64,
    /// Errors of the generator itself, and requests it did not send because of its own limits.
    pub own_errors: u64,
    /// The part of the responses, 0 to 1, that belongs to the rarest request of the mix.
    #[serde(skip)]
    pub rarest: f64,
}

impl Applied {
    /// Summarises the ledger of a run of `load` that lasted `seconds`.
    #[must_use]
    pub fn new(load: &LoadSpec, ledger: &Ledger, statuses: &BTreeMap<u16, u64>, seconds: f64) -> Self {
        let responses = ledger.expected + ledger.unexpected;
        let rarest = load.requests.iter().map(|rarest| load.share(|request| request == rarest));
        Self {
            stated_rate: load.rate.per_second(),
            achieved_rate: if seconds > 0.0 { responses as f64 / seconds } else { 0.0 },
            seconds,
            responses,
            unexpected: ledger.unexpected,
            statuses: statuses.clone(),
            transport_errors: ledger.transport_errors,
            // Requests that are not accounted for, or twice, are errors of the generator, too.
            own_errors: ledger.local_errors + ledger.shed + ledger.scheduled.abs_diff(ledger.accounted()),
            rarest: rarest.fold(1.0, f64::min),
        }
    }

    /// Why the traffic was too little, if it was.
    #[must_use]
    pub fn too_little(&self) -> Option<String> {
        (self.achieved_rate < self.stated_rate * RATE).then(|| {
            format!(
                "{:.1} of {:.1} responses per second, {} transport errors, {} generator errors",
                self.achieved_rate, self.stated_rate, self.transport_errors, self.own_errors
            )
        })
    }

    /// Why the traffic differed from what is stated, if it did; `acts` is whether the cause does more than change the traffic.
    #[must_use]
    pub fn other(&self, acts: bool) -> Option<String> {
        let tolerated =
            if acts { UNDER_FAULT } else { (self.rarest / 2.0).clamp(UNEXPECTED.0, UNEXPECTED.1) };
        self.unexpected().filter(|_| self.unexpected as f64 >= self.responses as f64 * tolerated)
    }

    /// A text such as `24 of 300 responses had an unexpected status (by status: 200: 276, 404: 24)`, if any had.
    #[must_use]
    pub fn unexpected(&self) -> Option<String> {
        let statuses: Vec<_> =
            self.statuses.iter().map(|(status, count)| format!("{status}: {count}")).collect();
        (self.unexpected > 0).then(|| {
            format!(
                "{} of {} responses had an unexpected status (by status: {})",
                self.unexpected,
                self.responses,
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
        Applied { responses: 1_000, unexpected, statuses, rarest, ..Applied::default() }
    }

    #[test]
    fn traffic_differs_when_half_of_the_rarest_request_is_unexpected() {
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
            "100 of 1000 responses had an unexpected status (by status: 200: 900, 404: 100)"
        );
    }

    #[test]
    fn finds_the_rarest_request_by_weight() {
        let load: LoadSpec = serde_saphyr::from_str(
            "rate: 40/s\nrequests: [{weight: 92, get: /a}, {weight: 8, get: /b, expect: 500}]\n",
        )
        .unwrap();
        let ledger =
            Ledger { scheduled: 80, expected: 70, unexpected: 6, transport_errors: 4, ..Ledger::default() };
        let applied = Applied::new(&load, &ledger, &BTreeMap::new(), 2.0);
        assert!((applied.rarest - 0.08).abs() < 1e-9);
        assert_eq!((applied.responses, applied.achieved_rate, applied.own_errors), (76, 38.0, 0));
        assert_eq!((applied.too_little(), applied.unexpected().is_some()), (None, true));
        assert!(
            Applied { achieved_rate: 35.0, ..applied }.too_little().unwrap().contains("4 transport errors")
        );
    }
}
