//! The `loadgen patterns` command line.

use clap::builder::{PossibleValuesParser, TypedValueParser};

use common::{console, duration, exit};
use load::format;
use load::schedule::Schedule;
use load::schedule::sparkline;
use load::spec::patterns::{ALL, Pattern};

const WIDTH: usize = 80;
const COLUMNS: u32 = 24;
const INDENT: &str = "                  ";

/// Arguments of `loadgen patterns`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Print this pattern's scenario file, as a template for `loadgen run --scenario`
    #[arg(value_name = "NAME", value_parser = pattern())]
    pub name: Option<Pattern>,
}

/// Prints the list or one pattern's file.
#[must_use]
pub fn main(args: &Args) -> u8 {
    let text = args.name.map_or_else(list, |pattern| pattern.text.to_owned());
    console::result(&text);
    exit::FINE
}

/// Every pattern with a sparkline of its rate, its summary and the alerts it trips.
#[must_use]
pub fn list() -> String {
    let mut text = String::new();
    for pattern in ALL {
        let scenario = pattern.scenario();
        let plan = &scenario.schedule;
        text.push_str(&format!("{:<18}{}  {}\n", pattern.name, sparkline::of(plan, COLUMNS), in_words(plan)));
        for words in [format!("{}.", scenario.summary), format!("Trips {}.", scenario.trips)] {
            let lines = format::wrapped(&words, WIDTH - INDENT.len(), "");
            lines.iter().for_each(|line| text.push_str(&format!("{INDENT}{line}\n")));
        }
    }
    text
}

/// `50/s for 30s`, `5/s to 80/s for 3m30s`, `100 at once`.
#[must_use]
pub fn in_words(schedule: &Schedule) -> String {
    if let Some(total) = schedule.total().filter(|_| schedule.duration().is_some_and(|time| time.is_zero())) {
        return format!("{} at once", format::count(total));
    }
    let (low, high) = (schedule.min(), schedule.peak());
    let (low, high) = (short(low), short(high));
    let rate = if low == high { format!("{high}/s") } else { format!("{low}/s to {high}/s") };
    match schedule.duration() {
        Some(time) => format!("{rate} for {}", duration::format(time)),
        None => rate,
    }
}

/// Rounds to a thousandth, as scaled rates may have many digits.
fn short(rate: f64) -> f64 {
    (rate * 1e3).round() / 1e3
}

/// Parses the name of a pattern.
pub fn pattern() -> impl TypedValueParser<Value = Pattern> {
    let names = PossibleValuesParser::new(ALL.map(|pattern| pattern.name));
    names.map(|name| Pattern::named(&name).expect("only pattern names are accepted"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_fits_80_columns_and_has_every_pattern() {
        let text = list();
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        for pattern in ALL {
            assert!(text.lines().any(|line| line.starts_with(&format!("{} ", pattern.name))), "{text}");
        }
        assert!(text.contains("5/s to 80/s for 3m30s") && text.contains("Trips nothing"), "{text}");
        assert!(text.contains("████████████████████████  50/s for 30s"), "{text}");
    }
}
