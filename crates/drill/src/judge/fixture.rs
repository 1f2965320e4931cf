//! A drill to be judged in tests.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::verdict::given;
use crate::causes::applied::Applied;
use crate::causes::stack::Broken;
use crate::evidence::activation::Activation;
use crate::evidence::gaps::Gaps;
use crate::file::objective::Objective;
use crate::record::case::Case;
use crate::record::event::{Restart, Unexpected};
use crate::record::expectation::Expectation;
use crate::record::judgement::Verdict;
use crate::record::stage::{End, Stage};
use crate::rule::RuleUnderTest;
use crate::timing::bounds::Bounds;
use crate::timing::phases::Instants;
use clients::inbox::Channel;

/// 08:00:00 UTC plus seconds.
pub fn at(seconds: f64) -> Timestamp {
    Timestamp::from_millisecond(1_800_000_000_000 + (seconds * 1000.0) as i64).unwrap()
}

pub const EXPECTED: [Channel; 2] = [Channel::Webhook, Channel::Slack];

pub fn both(webhook: f64, slack: f64) -> BTreeMap<Channel, Timestamp> {
    BTreeMap::from([(Channel::Webhook, at(webhook)), (Channel::Slack, at(slack))])
}

/// Durations: pending 9, firing 6, notified 4 (Slack later), resolved 10, all-clear 5.
pub fn proven() -> Instants {
    Instants {
        baseline: Some(at(-8.0)),
        cause: Some(at(0.0)),
        pending: Some(at(9.0)),
        firing: Some(at(15.0)),
        notified: both(17.0, 19.0),
        lifting: None,
        lifted: Some(at(20.0)),
        resolved: Some(at(30.0)),
        all_clear: both(35.0, 34.0),
    }
}

pub fn bounds() -> Bounds {
    let [pending, firing, notified, resolved, all_clear] = [11, 6, 5, 17, 17].map(Duration::from_secs);
    Bounds { pending, firing, notified, resolved, all_clear }
}

pub struct Given {
    pub end: End,
    pub instants: Instants,
    pub objective: Objective,
    pub unexpected: Vec<Unexpected>,
    pub gaps: Gaps,
    pub applied: Option<Applied>,
    pub acts: bool,
    pub broke_off: Vec<Broken>,
    pub not_undone: Vec<String>,
    pub likeliest: Option<&'static str>,
    pub counted: bool,
    pub quiet: Option<Duration>,
    pub rule_under_test: Option<RuleUnderTest>,
    pub activations: Vec<Activation>,
    pub restarts: Vec<Restart>,
    pub fired_unstored: Option<Timestamp>,
}

pub fn about(end: End) -> Given {
    Given {
        end,
        instants: proven(),
        objective: Objective::default(),
        unexpected: Vec::new(),
        gaps: Gaps { queries: 100, ..Gaps::default() },
        applied: Some(Applied { stated_rate: 40.0, achieved_rate: 39.5, ..Applied::default() }),
        acts: false,
        broke_off: Vec::new(),
        not_undone: Vec::new(),
        likeliest: None,
        counted: false,
        quiet: None,
        rule_under_test: None,
        activations: Vec::new(),
        restarts: Vec::new(),
        fired_unstored: None,
    }
}

pub fn judged(about: &Given) -> (Verdict, String) {
    let expectation = Expectation {
        bounds: Some(bounds()),
        channels: EXPECTED.to_vec(),
        counted: about.counted,
        quiet: about.quiet,
        rule_under_test: about.rule_under_test.clone(),
        ..Expectation::default()
    };
    let case = Case {
        follows: true,
        end: Some(about.end.clone()),
        stage: Stage::Firing,
        instants: about.instants.clone(),
        expectation,
        objective: about.objective,
        unexpected: about.unexpected.clone(),
        gaps: about.gaps.clone(),
        applied: about.applied.clone(),
        acts: about.acts,
        activations: about.activations.clone(),
        restarts: about.restarts.clone(),
        fired_unstored: about.fired_unstored,
        broke_off: about.broke_off.clone(),
        not_undone: about.not_undone.clone(),
        ..Case::default()
    };
    let judgement = given(&case, about.likeliest);
    (judgement.verdict, judgement.reason)
}
