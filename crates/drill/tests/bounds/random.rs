//! Random graphs of rules.

use proptest::prelude::*;

use crate::model::{Group, Model, Read, Reading, Route, Rule, SECOND, Source};

fn seconds(most: i64) -> impl Strategy<Value = i64> {
    (1..=most * 10).prop_map(|tenths| tenths * SECOND / 10)
}

fn read(before: usize) -> impl Strategy<Value = Read> {
    let reading = prop_oneof![
        3 => Just(Reading::Instant),
        1 => seconds(30).prop_map(Reading::Min),
        1 => seconds(30).prop_map(Reading::Max),
        1 => (seconds(30), seconds(5)).prop_map(|(range, step)| Reading::MinSteps(range.max(step), step)),
        1 => (seconds(30), seconds(5)).prop_map(|(range, step)| Reading::MaxSteps(range.max(step), step)),
    ];
    let offset = prop_oneof![3 => Just(0), 1 => seconds(10)];
    (0..=before, reading, offset, any::<bool>()).prop_map(move |(source, reading, offset, firing)| Read {
        // Made right once it is known which rules are alerts.
        source: if source == before { Source::Scraped } else { Source::Recorded(source) },
        reading: if firing { reading } else { Reading::Instant },
        offset,
    })
}

/// Up to six rules, each reading what was made before it; then dealt to groups in any order, the last one stays last.
pub fn models() -> impl Strategy<Value = Model> {
    let rules = (1..=6_usize).prop_flat_map(|count| {
        let rule = move |number: usize| {
            let alert = prop_oneof![
                3 => Just(None),
                1 => (0..20_i64, 0..10_i64).prop_map(|(hold, keep)| Some((hold * SECOND, keep * SECOND))),
            ];
            let alert = if number + 1 == count {
                (0..20_i64, 0..10_i64).prop_map(|(hold, keep)| Some((hold * SECOND, keep * SECOND))).boxed()
            } else {
                alert.boxed()
            };
            (prop::collection::vec(read(number), 1..=2), any::<bool>(), alert)
                .prop_map(|(reads, all, alert)| Rule { reads, all, alert })
        };
        (0..count).map(rule).collect::<Vec<_>>()
    });
    let behind = prop_oneof![2 => Just(0), 1 => seconds(10)];
    let groups = prop::collection::vec((seconds(15), 0..1_000_000_i64, behind), 3);
    (
        rules,
        groups,
        prop::collection::vec((0..3_usize, any::<u16>()), 6),
        seconds(10),
        0..1_000_000_i64,
        0..1_000_000_i64,
        any::<bool>(),
    )
        .prop_map(|(rules, groups, dealt, scrape, scrape_offset, grid, left_open)| {
            let count = rules.len();
            let mut places: Vec<(usize, u16, usize)> =
                (0..count).map(|number| (dealt[number].0, dealt[number].1, number)).collect();
            places[count - 1] = (2, u16::MAX, count - 1);
            places.sort_unstable();
            let number = |made: usize| places.iter().position(|(_, _, it)| *it == made).unwrap();
            let right = |read: &Read| {
                let source = match read.source {
                    Source::Recorded(made) if rules[made].alert.is_none() => Source::Recorded(number(made)),
                    Source::Recorded(made) if read.offset % 2 == 0 => Source::Firing(number(made)),
                    Source::Recorded(made) => Source::Active(number(made)),
                    other => other,
                };
                // A range over ALERTS has gaps and no zeros: whether some of it holds is all it can tell.
                let reading = match (source, read.reading) {
                    (Source::Firing(_) | Source::Active(_), Reading::Min(range)) => Reading::Max(range),
                    (_, reading) => reading,
                };
                Read { source, reading, ..*read }
            };
            let mut made: Vec<Group> = groups
                .iter()
                .map(|(interval, part, behind)| Group {
                    interval: *interval,
                    offset: interval * part / 1_000_000,
                    behind: *behind,
                    rules: vec![],
                })
                .collect();
            for (group, _, number) in &places {
                let rule = &rules[*number];
                let reads = rule.reads.iter().map(right).collect();
                made[*group].rules.push(Rule { reads, ..rule.clone() });
            }
            made.retain(|group| !group.rules.is_empty());
            let written: Vec<(i64, i64)> = made
                .iter()
                .flat_map(|group| group.rules.iter().map(|_| (group.interval, group.behind)))
                .collect();
            for group in &mut made {
                for read in group.rules.iter_mut().flat_map(|rule| &mut rule.reads) {
                    // A range shorter than the samples are apart is empty now and then, whatever the cause does; those of
                    // a group that is further behind are not yet there at its end.
                    let apart = match read.source {
                        Source::Scraped => scrape,
                        Source::Recorded(number) | Source::Firing(number) | Source::Active(number) => {
                            let (interval, behind) = written[number];
                            interval + (behind - group.behind).max(0)
                        }
                    };
                    match &mut read.reading {
                        Reading::Min(range) | Reading::Max(range) => *range = (*range).max(apart + 1000),
                        _ => {}
                    }
                }
            }
            let scrape_offset = scrape * scrape_offset / 1_000_000;
            Model { scrape, scrape_offset, grid, left_open, groups: made }
        })
}

/// Routes whose intervals may be shorter than a notification takes.
pub fn routes() -> impl Strategy<Value = Route> {
    (seconds(30), seconds(30), prop_oneof![Just(0), seconds(30)], 0..=2 * SECOND)
        .prop_map(|(wait, interval, peers, sending)| Route { wait, interval, peers, sending })
}
