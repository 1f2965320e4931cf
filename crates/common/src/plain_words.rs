//! Rewords library errors about values for users.

/// `text` without Rust's names of types: `invalid type: sequence, expected a string` becomes `expected a string, not a
/// list`. Other text is unchanged.
#[must_use]
pub fn of_types(text: &str) -> String {
    let text = text.trim();
    for kind in ["invalid type: ", "invalid value: "] {
        if let Some((found, expected)) =
            text.strip_prefix(kind).and_then(|rest| rest.split_once(", expected "))
        {
            return format!("expected {}, not {}", wanted(expected), given(found));
        }
    }
    if let Some((length, expected)) =
        text.strip_prefix("invalid length ").and_then(|rest| rest.split_once(", expected "))
    {
        return format!("expected {}, not of {length}", wanted(expected));
    }
    if let Some((name, expected)) =
        text.strip_prefix("unknown variant ").and_then(|rest| rest.split_once(", "))
    {
        return format!("unknown value {name}: {expected}");
    }
    match text.starts_with("data did not match any variant") {
        true => "matches none of the accepted forms".to_owned(),
        false => text.to_owned(),
    }
}

fn wanted(expected: &str) -> String {
    let plain = match expected {
        "a sequence" => "a list",
        "a map" => "fields with their values",
        "unit" | "null" => "nothing",
        "f32" | "f64" => "a number",
        unsigned if is_integer(unsigned, 'u') => "an integer of 0 or more",
        signed if is_integer(signed, 'i') => "an integer",
        named
            if ["struct ", "enum ", "internally tagged enum ", "adjacently tagged enum ", "variant "]
                .iter()
                .any(|kind| named.starts_with(kind)) =>
        {
            "fields with their values"
        }
        other => {
            return match other.strip_prefix("a tuple of size ") {
                Some(size) => format!("a list of {size}"),
                None => other.to_owned(),
            };
        }
    };
    plain.to_owned()
}

fn is_integer(text: &str, sign: char) -> bool {
    text.strip_prefix(sign).is_some_and(|bits| bits == "size" || bits.parse::<u8>().is_ok())
}

fn given(found: &str) -> String {
    match found {
        "sequence" => "a list".to_owned(),
        "map" => "fields".to_owned(),
        "unit value" | "null" | "Option value" => "nothing".to_owned(),
        other => ["integer ", "floating point ", "string ", "boolean ", "character "]
            .iter()
            .find_map(|kind| other.strip_prefix(kind))
            .unwrap_or(other)
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_type_names() {
        for (text, plain) in [
            ("invalid type: sequence, expected a string", "expected a string, not a list"),
            ("invalid type: map, expected a sequence", "expected a list, not fields"),
            (
                "invalid type: integer `5`, expected struct Policy",
                "expected fields with their values, not `5`",
            ),
            ("invalid type: string \"x\", expected a boolean", "expected a boolean, not \"x\""),
            ("invalid type: unit value, expected u64", "expected an integer of 0 or more, not nothing"),
            ("invalid value: integer `-1`, expected usize", "expected an integer of 0 or more, not `-1`"),
            ("invalid length 1, expected a tuple of size 2", "expected a list of 2, not of 1"),
            ("unknown variant `x`, expected one of `a`, `b`", "unknown value `x`: expected one of `a`, `b`"),
            ("unknown field `x`, expected `y`", "unknown field `x`, expected `y`"),
            ("missing field `limit`", "missing field `limit`"),
        ] {
            assert_eq!(of_types(text), plain);
        }
    }
}
