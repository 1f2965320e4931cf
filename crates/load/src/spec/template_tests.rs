use std::time::Duration;

use super::*;
use crate::spec::capture::Pools;
use common::rng::Rng;

fn moment(number: u64, pools: &Pools) -> Moment<'_> {
    let rng = Rng::of(7, number);
    Moment { number, elapsed: Duration::from_secs(number), timestamp: 1_790_000_000, rng, pools }
}

fn render(text: &str, place: Place, number: u64, pools: &Pools) -> Result<String, String> {
    let template = Template::parse(text).unwrap();
    let mut moment = moment(number, pools);
    let mut bytes = Vec::new();
    for part in template.parts() {
        match part {
            Part::Text(text) => bytes.extend_from_slice(text.as_bytes()),
            Part::Value(value) => value.add(place, &mut moment, &mut bytes).map_err(str::to_owned)?,
        }
    }
    Ok(String::from_utf8(bytes).unwrap())
}

#[test]
fn values_stay_in_bounds_and_are_reproducible() {
    let pools = Pools::default();
    let version =
        regex::Regex::new("^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$").unwrap();
    let mut seen = std::collections::BTreeSet::new();
    for number in 0..500 {
        let of = |text: &str| render(text, Place::Plain, number, &pools).unwrap();
        assert_eq!(of("a{{n}}b{{n 7}}"), format!("a{number}b{}", number % 7));
        let int: i64 = of("{{int -2 3}}").parse().unwrap();
        assert!((-2..=3).contains(&int));
        seen.insert(int);
        let float = of("{{ float 36.1 37.55 }}");
        assert!(
            (36.1..=37.55).contains(&float.parse::<f64>().unwrap())
                && float.split_once('.').unwrap().1.len() == 2
        );
        assert!(["red", "green"].contains(&of("{{pick red green}}").as_str()));
        let text = of("{{text 12}}");
        assert!(text.len() == 12 && text.chars().all(|c| c.is_ascii_alphanumeric()));
        let uuid = of("{{uuid}}");
        assert!(version.is_match(&uuid), "{uuid}");
        assert_eq!(uuid, of("{{uuid}}"), "same arrival and seed");
        assert_ne!(uuid, render("{{uuid}}", Place::Plain, number + 1, &pools).unwrap());
        assert_eq!(of("{{timestamp}}"), "1790000000");
    }
    assert_eq!(seen.len(), 6, "every value of a small range occurs");
    let extremes = format!("{{{{int {} {}}}}}", i64::MIN, i64::MAX);
    assert!(render(&extremes, Place::Plain, 1, &pools).unwrap().parse::<i64>().is_ok());
}

#[test]
fn rhythm_follows_its_period() {
    let pools = Pools::default();
    let at = |second| -> f64 {
        render("{{rhythm 50 90 100s}}", Place::Plain, second, &pools).unwrap().parse().unwrap()
    };
    for (second, value) in [(0, 50.0), (50, 90.0), (25, 70.0), (100, 50.0), (150, 90.0)] {
        assert!((at(second) - value).abs() <= 2.5, "{second}: {}", at(second));
    }
    assert!((0..200).all(|second| (50.0..=90.0).contains(&at(second))));
}

#[test]
fn values_are_escaped_for_their_place() {
    let pools = Pools::default();
    let nasty = "a/b?c=\"d\" \r\nX: é";
    pools.put("v", nasty.as_bytes().to_vec());
    let of = |text: &str, place| render(text, place, 0, &pools).unwrap();
    assert_eq!(of("/x/{{v}}", Place::Segment), "/x/a%2Fb%3Fc%3D%22d%22%20%0D%0AX%3A%20%C3%A9");
    assert_eq!(of("{{v}}", Place::Header), "a/b?c=\"d\" ??X: é");
    assert_eq!(of("{\"a\":\"{{v}}\"}", Place::Json), "{\"a\":\"a/b?c=\\\"d\\\" \\r\\nX: é\"}");
    assert_eq!(of("{{v}}", Place::Plain), nasty);
    for (location, path) in [
        ("/users/7?a=b", "/users/7?a=b"),
        ("http://h:80/users/7", "/users/7"),
        ("users/7", "/users/7"),
        ("https://h", "/"),
    ] {
        let pools = Pools::default();
        pools.put("v", location.as_bytes().to_vec());
        assert_eq!(render("{{v}}", Place::Path, 0, &pools).unwrap(), path);
    }
}

#[test]
fn names_the_value_that_was_not_captured_yet() {
    let pools = Pools::default();
    assert_eq!(render("/{{user}}", Place::Segment, 0, &pools), Err("user".to_owned()));
    let template = Template::parse("/{{a}}/{{n}}/{{take b}}").unwrap();
    assert_eq!(template.needs().collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(template.sample(), "/0/0/0");
}

#[test]
fn numbers_have_no_quotes_in_json() {
    let pools = Pools::default();
    let json = serde_json::json!({"a": "{{int 5 5}}", "b": "x{{int 5 5}}", "c": "\"{{n}}\"", "d": ["{{n}}", "{{pick p}}"]});
    let template = Template::parse(&json.to_string()).unwrap().with_bare_numbers();
    let mut bytes = Vec::new();
    for part in template.parts() {
        match part {
            Part::Text(text) => bytes.extend_from_slice(text.as_bytes()),
            Part::Value(value) => value.add(Place::Json, &mut moment(3, &pools), &mut bytes).unwrap(),
        }
    }
    let sent: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(sent, serde_json::json!({"a": 5, "b": "x5", "c": "\"3\"", "d": [3, "p"]}));
}

#[test]
fn errors_name_the_placeholder() {
    for (text, words) in [
        ("/{{n", "`{{n` is not closed"),
        ("{{}}", "`{{}}`: expected n, n 200"),
        ("{{int 5}}", "`{{int 5}}`"),
        ("{{int 5 1}}", "a minimum and a maximum"),
        ("{{float a b}}", "`{{float a b}}`"),
        ("{{rhythm 1 2 soon}}", "such as {{rhythm 55 95 10m}}"),
        ("{{text 0}}", "a length"),
        ("{{n 0}}", "{{n 200}}"),
        ("{{pick}}", "`{{pick}}`"),
        ("{{take}}", "`{{take}}`"),
        ("{{a-b}}", "`{{a-b}}`"),
    ] {
        let error = Template::parse(text).unwrap_err();
        assert!(error.to_string().contains(words), "{text}: {error}");
    }
}

#[test]
fn bounds_may_have_any_number_of_decimals() {
    let pools = Pools::default();
    for word in ["float", "rhythm"] {
        let period = if word == "rhythm" { " 10m" } else { "" };
        let text = format!("{{{{{word} 0.{} 1{period}}}}}", "0".repeat(70_000));
        let value = render(&text, Place::Plain, 0, &pools).unwrap();
        assert_eq!(value.len(), "0.".len() + 17, "{word}: {value}");
    }
}
