//! `--print-config`: prints the effective settings.

use clap::{ArgMatches, Command};

/// One `NAME=value` line per setting, in the order of the help and from any source; unset ones are empty. Secrets are
/// masked: settings whose environment values the help hides, settings with a secret's name, and passwords in URLs.
pub fn lines(command: &Command, matches: &ArgMatches) -> Vec<String> {
    let line = |arg: &clap::Arg| {
        let name = arg.get_env()?.to_str()?;
        let raw = matches.get_raw(arg.get_id().as_str());
        let values = raw.map(|values| values.map(|value| value.to_string_lossy()).collect::<Vec<_>>());
        let value = values.unwrap_or_default().join(",");
        Some(format!("{name}={}", shown(name, arg.is_hide_env_values_set(), &value)))
    };
    command.get_arguments().filter_map(line).collect()
}

const MASK: &str = "***";

fn shown(name: &str, hidden: bool, value: &str) -> String {
    let named_secret = ["TOKEN", "PASSWORD", "SECRET", "HEADERS"].iter().any(|word| name.contains(word));
    match mask_url(value) {
        _ if value.is_empty() => String::new(),
        Some(_) if named_secret => MASK.to_owned(),
        Some(masked) => printable(&masked),
        None if hidden || named_secret => MASK.to_owned(),
        None => printable(value),
    }
}

/// A URL with its password masked, before the host and in the query; `None` if the text is not a URL.
fn mask_url(value: &str) -> Option<String> {
    let (scheme, rest) = value.split_once("://")?;
    let (rest, query) = rest.split_once('?').map_or((rest, None), |(rest, query)| (rest, Some(query)));
    // The last @ before the path, because a password may contain an unescaped one.
    let authority_end = rest.rfind('@').map_or(0, |at| at + 1);
    let (userinfo, place) = rest.split_at(authority_end);
    let userinfo = match userinfo.split_once(':') {
        Some((user, _)) => format!("{user}:{MASK}@"),
        None => userinfo.to_owned(),
    };
    let query = query.map_or(String::new(), |query| {
        let pairs = query.split('&').map(|pair| match pair.split_once('=') {
            Some((key, _)) if key.to_ascii_lowercase().contains("pass") => format!("{key}={MASK}"),
            _ => pair.to_owned(),
        });
        format!("?{}", pairs.collect::<Vec<_>>().join("&"))
    });
    Some(format!("{scheme}://{userinfo}{place}{query}"))
}

/// The value on one line, with control characters escaped.
fn printable(value: &str) -> String {
    if value.contains(char::is_control) { format!("{value:?}") } else { value.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_secrets_and_shows_the_rest() {
        for (name, hidden, value, expected) in [
            ("LISTEN", false, "127.0.0.1:8000", "127.0.0.1:8000"),
            ("REDIS_URL", true, "redis://127.0.0.1:6379", "redis://127.0.0.1:6379"),
            ("REDIS_URL", true, "redis://:hush@h:6379/0", "redis://:***@h:6379/0"),
            ("REDIS_URL", true, "rediss://user:hush@h", "rediss://user:***@h"),
            ("REDIS_URL", true, "h:6379:hush", "***"),
            ("DATABASE_URL", false, "sqlite://firedrill.db", "sqlite://firedrill.db"),
            ("DATABASE_URL", false, "postgres://u:hu@sh/hush@h/d", "postgres://u:***@h/d"),
            (
                "DATABASE_URL",
                false,
                "postgres://h/d?user=u&password=hush&x=1",
                "postgres://h/d?user=u&password=***&x=1",
            ),
            ("METRICS_TOKEN", true, "hush", "***"),
            ("ADMIN_TOKEN", false, "https://hush", "***"),
            ("OTLP_HEADERS", false, "authorization=hush", "***"),
            ("METRICS_TOKEN", true, "", ""),
            ("TLS_KEY", false, "key.pem", "key.pem"),
            (
                "CORS_ORIGINS",
                false,
                "https://a.example,https://b.example",
                "https://a.example,https://b.example",
            ),
            ("ODD", false, "a\nb", "\"a\\nb\""),
        ] {
            let line = shown(name, hidden, value);
            assert_eq!(line, expected, "{name}={value}");
            assert!(!line.contains("hush"));
        }
    }
}
