//! Headings of text notifications: `[FIRING:1] Name …`, as in Alertmanager's own templates and in those of this
//! project.
//!
//! A name may contain spaces, and what follows it depends on the template, so a text alone does not show where the name
//! ends. The inbox guesses, for display. A reader that knows all alert names finds the right one in the heading, which
//! is stored.

use crate::receivers::message::{FIRING, RESOLVED, UNKNOWN};
use clients::inbox::NotifiedAlert;

/// A heading: the alert's status, and the text after it, which starts with the alert's name.
pub type Heading<'a> = (&'static str, &'a str);

/// Each `[FIRING:n] …` or `[RESOLVED:n] …` in a text, up to the next one or the end of its line; `:n` may be missing.
pub fn all(text: &str) -> Vec<Heading<'_>> {
    let mut found: Vec<Heading<'_>> = Vec::new();
    for line in text.lines() {
        let mut begun: Vec<(&'static str, usize, usize)> = Vec::new(); // status, where it begins, where its text does
        for (at, _) in line.match_indices('[') {
            if let Some((status, length)) = bracket(&line[at..]) {
                begun.push((status, at, at + length));
            }
        }
        for (index, (status, _, from)) in begun.iter().enumerate() {
            let to = begun.get(index + 1).map_or(line.len(), |(_, at, _)| *at);
            let text = line[*from..to].trim_start_matches([' ', '*', '_', '`', '~']).trim_end();
            if !text.is_empty() {
                found.push((status, text));
            }
        }
    }
    found
}

/// The status in brackets at the start of a text, and its length.
fn bracket(text: &str) -> Option<(&'static str, usize)> {
    let (inside, _) = text.strip_prefix('[')?.split_once(']')?;
    let (word, count) = inside.split_once(':').unwrap_or((inside, "1"));
    let status = match word.trim().to_ascii_lowercase().as_str() {
        FIRING => FIRING,
        RESOLVED => RESOLVED,
        _ => return None,
    };
    count.trim().parse::<u32>().is_ok().then_some((status, inside.len() + 2))
}

/// The alert's name, guessed from the text: it ends at the severity in parentheses or at a colon; without either, it is
/// the first word, because labels may follow.
fn guess(heading: &str) -> &str {
    let heading = heading.split(['|', '<', '>', '*', '`', '~']).next().unwrap_or_default();
    let (before, after) = heading.split_once(" (").unwrap_or((heading, ""));
    let name = match before.split_once(": ") {
        Some((name, _)) => name,
        None if is_word(after) => before,
        None => heading.split([' ', '\t', '(', ',']).next().unwrap_or_default(),
    };
    name.trim().trim_end_matches([':', ','])
}

/// Whether the parentheses whose content starts at `text` contain exactly one word.
fn is_word(text: &str) -> bool {
    text.split_once(')').is_some_and(|(word, _)| !word.is_empty() && !word.contains([' ', '(', '.', ':']))
}

/// The headings of one message: those of the first of its texts that has any.
pub fn alerts_in<'a>(texts: impl Iterator<Item = &'a str>) -> (&'static str, Vec<NotifiedAlert>) {
    summed_up(texts.map(all).find(|found| !found.is_empty()).unwrap_or_default())
}

/// The status of a message with these headings, and the alerts they name.
pub fn summed_up(found: Vec<Heading<'_>>) -> (&'static str, Vec<NotifiedAlert>) {
    let found: Vec<_> = found.into_iter().filter(|(_, heading)| !guess(heading).is_empty()).collect();
    let status = found.iter().map(|(status, _)| *status).max_by_key(|status| *status == FIRING);
    let alerts = found.into_iter().map(|(status, heading)| NotifiedAlert {
        alert: guess(heading).to_owned(),
        status: status.to_owned(),
        heading: Some(heading.to_owned()),
        ..NotifiedAlert::default()
    });
    (status.unwrap_or(UNKNOWN), alerts.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_end_where_the_template_ends_them() {
        for (text, name) in [
            ("[FIRING:1] HighErrorRate (warning)", "HighErrorRate"),
            ("[FIRING:1] Service Is Down (critical)", "Service Is Down"),
            ("[FIRING:1] Service Is Down (critical): 5 of 6 (all) are gone", "Service Is Down"),
            ("[RESOLVED:2] Service Is Down: back (again)", "Service Is Down"),
            ("[FIRING:2] Service Is Down: 5 of 6 are gone", "Service Is Down"),
            // Alertmanager's own template: the values of the group's labels, then of the others.
            ("[FIRING:1] HighErrorRate api (10.0.0.1 warning)", "HighErrorRate"),
            ("[RESOLVED] HighErrorRate api (10.0.0.1)", "HighErrorRate"),
            ("[FIRING:1] HighErrorRate api | http://am:9093/#/alerts?receiver=x", "HighErrorRate"),
            ("[FIRING:1] Disk [root] full (warning)", "Disk [root] full"),
            ("*[FIRING:3] RateLimitHits*", "RateLimitHits"),
        ] {
            let (_, alerts) = alerts_in([text].into_iter());
            assert_eq!(alerts.iter().map(|it| it.alert.as_str()).collect::<Vec<_>>(), [name], "{text}");
        }
    }

    #[test]
    fn each_heading_is_kept_up_to_the_next() {
        assert_eq!(
            all(
                "see\n*[FIRING:1] A b (x)* and <http://x|[RESOLVED] C>\n[FIRING:many] D\n[FIRING soon] [x] e [RESOLVED:2] "
            ),
            [(FIRING, "A b (x)* and <http://x|"), (RESOLVED, "C>")]
        );
        assert_eq!(alerts_in(["[FIRING:1] (warning)"].into_iter()).0, UNKNOWN, "there is no name in it");
    }
}
