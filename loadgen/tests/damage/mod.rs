//! Damaged YAML files, to be read or rejected.

use proptest::prelude::*;

const PARTS: &[&str] = &[
    "groups:",
    "- ",
    "\n",
    "\n  ",
    "  ",
    "{",
    "}",
    "[",
    "]",
    "&a ",
    "*a",
    "<<: ",
    "---\n",
    "...",
    "? ",
    "|\n",
    ">-\n",
    "'",
    "\"",
    "\\",
    "#",
    "~",
    ": ",
    ",",
    "!!str ",
    "%YAML 1.2\n",
    "5m",
    "-5m",
    "9999999999y",
    "1e9",
    "kind: List\n",
    "kind: PrometheusRule\n",
    "items:",
    "spec:",
    "rules:",
    "expr: ",
    "for: ",
    "\t",
    "\r",
    "\u{0}",
    "\u{feff}",
    "ä",
    "&f ",
    "*f",
    "!!binary ",
    "!x ",
    "-1",
    "1e400",
    "99999999999999999999",
    "999999999y",
    "{{",
    "}}",
    "[FIRING:1]",
];

/// Any characters, or any parts of YAML files.
pub fn any_text() -> impl Strategy<Value = String> {
    let parts = prop::collection::vec(prop::sample::select(PARTS), 0..30);
    prop_oneof![".{0,80}", parts.prop_map(|parts| parts.concat())]
}

/// The text with a few characters replaced by a part of a YAML file, or cut off there.
pub fn damaged(text: String) -> impl Strategy<Value = String> {
    (0.0..1.0, 0usize..12, prop::option::of(prop::sample::select(PARTS))).prop_map(
        move |(at, taken, part)| {
            let from = text.floor_char_boundary((at * text.len() as f64) as usize);
            let to = text.floor_char_boundary((from + taken).min(text.len()));
            match part {
                Some(part) => format!("{}{part}{}", &text[..from], &text[to..]),
                None => text[..from].to_owned(),
            }
        },
    )
}
