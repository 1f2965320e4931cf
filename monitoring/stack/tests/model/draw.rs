//! Draws configurations: graphs of rules as in the test of the bounds, at intervals of a second or two.

use common::rng::Rng;

use crate::model::{Group, Model, Read, Reading, Route, Rule, SECOND, Source};

/// A graph of rules above one scraped series, and the route of its last alert.
#[derive(Debug, Clone)]
pub struct Configuration {
    pub number: usize,
    /// The offsets of scrape and groups are those that Prometheus gives them; here they are zero.
    pub model: Model,
    pub route: Route,
}

impl Configuration {
    /// The scraped series.
    pub fn series(&self) -> String {
        format!("x{}", self.number)
    }

    /// The last rule's number.
    pub fn last(&self) -> usize {
        self.model.groups.iter().map(|group| group.rules.len()).sum::<usize>() - 1
    }
}

struct Draw(Rng);

impl Draw {
    /// Microseconds, a multiple of 100 ms in `from..=to`, given in tenths of seconds.
    fn tenths(&mut self, from: u64, to: u64) -> i64 {
        (from + self.0.below(to - from + 1)).cast_signed() * SECOND / 10
    }

    fn one_in(&mut self, count: u64) -> bool {
        self.0.below(count) == 0
    }

    /// `for` and `keep_firing_for`.
    fn alert(&mut self) -> (i64, i64) {
        let hold = if self.one_in(3) { 0 } else { self.tenths(5, 40) };
        (hold, if self.one_in(2) { 0 } else { self.tenths(5, 30) })
    }

    /// A read of the series, whose samples are `apart`, or of one that a rule before writes.
    fn read(&mut self, source: Source, apart: i64) -> Read {
        let range = apart + self.tenths(1, 40);
        let reading = match (self.0.below(6), source) {
            (0 | 1, _) => Reading::Instant,
            (2, Source::Scraped | Source::Recorded(_)) => Reading::Min(range),
            (2 | 3, _) => Reading::Max(range),
            (4, _) => Reading::MinSteps(range, self.tenths(3, 15)),
            _ => Reading::MaxSteps(range, self.tenths(3, 15)),
        };
        Read { source, reading, offset: if self.one_in(4) { self.tenths(1, 30) } else { 0 } }
    }
}

/// The configuration of this number; always the same for a seed. Without `query_offset` where Prometheus has none.
pub fn configuration(seed: u64, number: usize, query_offset: bool) -> Configuration {
    let mut draw = Draw(Rng::of(seed, number as u64));
    let scrape = draw.tenths(10, 30);
    let mut groups: Vec<Group> = Vec::new();
    for _ in 0..=draw.0.below(3) {
        let behind = if query_offset && draw.one_in(2) { draw.tenths(1, 40) } else { 0 };
        groups.push(Group { interval: draw.tenths(10, 30), offset: 0, behind, rules: Vec::new() });
    }
    // Rules are numbered through the groups, and any reads any: what it reads may stand before or behind it.
    let counts: Vec<usize> = groups.iter().map(|_| 1 + draw.0.below(2) as usize).collect();
    let total: usize = counts.iter().sum();
    let group_of = |rule: usize| {
        let mut first = 0;
        counts
            .iter()
            .position(|count| {
                first += count;
                rule < first
            })
            .expect("the rule is in a group")
    };
    // The order in which rules are made, of which each reads those made before it only; the last rule is made last.
    let mut order: Vec<usize> = (0..total - 1).collect();
    for index in (1..order.len()).rev() {
        order.swap(index, draw.0.below(index as u64 + 1) as usize);
    }
    order.push(total - 1);
    let mut made: Vec<Option<Rule>> = vec![None; total];
    for (done, number) in order.iter().enumerate() {
        let alert = (*number + 1 == total || draw.one_in(3)).then(|| draw.alert());
        let mut reads = Vec::new();
        for _ in 0..=draw.0.below(2) {
            let below = draw.0.below(done as u64 + 1) as usize;
            // The rule made just before is always read, so that none is idle.
            let below =
                if reads.is_empty() { done.checked_sub(1) } else { order[..done].get(below).map(|_| below) };
            let Some(below) = below.map(|below| order[below]) else {
                reads.push(draw.read(Source::Scraped, scrape));
                continue;
            };
            let (writer, reader) = (&groups[group_of(below)], &groups[group_of(*number)]);
            let apart = writer.interval + (writer.behind - reader.behind).max(0);
            let source = match made[below].as_ref().and_then(|rule| rule.alert) {
                None => Source::Recorded(below),
                Some(_) if draw.one_in(2) => Source::Firing(below),
                Some(_) => Source::Active(below),
            };
            reads.push(draw.read(source, apart));
        }
        made[*number] = Some(Rule { reads, all: draw.one_in(2), alert });
    }
    let mut rules = made.into_iter().flatten();
    for (group, count) in groups.iter_mut().zip(&counts) {
        group.rules = rules.by_ref().take(*count).collect();
    }
    let model = Model { scrape, scrape_offset: 0, grid: 0, left_open: false, groups };
    let route = Route { wait: draw.tenths(5, 30), interval: draw.tenths(20, 50), peers: 0, sending: 0 };
    Configuration { number, model, route }
}
