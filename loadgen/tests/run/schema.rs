//! A validator for the part of JSON Schema that `run-1.schema.json` uses. Unknown keywords fail.

use serde_json::Value;

/// Panics at the first mismatch.
pub fn validate(value: &Value) {
    let text =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/schema/run-1.schema.json")).unwrap();
    let schema: Value = serde_json::from_str(&text).unwrap();
    fits(value, &schema, &schema, "$");
}

fn fits(value: &Value, schema: &Value, root: &Value, at: &str) {
    for (keyword, rule) in schema.as_object().unwrap() {
        match keyword.as_str() {
            "$schema" | "$defs" | "title" | "description" | "required" | "properties" | "propertyNames" => {}
            "additionalProperties" if value.is_null() => {} // `type` checks whether null is allowed
            "additionalProperties" => object(value, schema, root, at),
            "$ref" => {
                let name = rule.as_str().unwrap().trim_start_matches("#/$defs/");
                fits(value, &root["$defs"][name], root, at);
            }
            "type" => {
                let types: Vec<&Value> =
                    rule.as_array().map_or_else(|| vec![rule], |types| types.iter().collect());
                assert!(
                    types.iter().any(|kind| is(value, kind.as_str().unwrap())),
                    "{at}: {value} is no {rule}"
                );
            }
            "const" => assert_eq!(value, rule, "{at}"),
            "enum" => assert!(rule.as_array().unwrap().contains(value), "{at}: {value} is none of {rule}"),
            "minimum" => {
                assert!(value.is_null() || value.as_f64() >= rule.as_f64(), "{at}: {value} is below {rule}")
            }
            "items" => {
                for (index, item) in value.as_array().unwrap().iter().enumerate() {
                    fits(item, rule, root, &format!("{at}[{index}]"));
                }
            }
            other => panic!("the schema uses the unsupported keyword {other}"),
        }
    }
}

fn object(value: &Value, schema: &Value, root: &Value, at: &str) {
    let object = value.as_object().unwrap_or_else(|| panic!("{at}: {value} is no object"));
    for name in schema["required"].as_array().into_iter().flatten() {
        assert!(object.contains_key(name.as_str().unwrap()), "{at} lacks {name}");
    }
    for (name, value) in object {
        if let Some(names) = schema.get("propertyNames") {
            fits(&Value::String(name.clone()), names, root, at);
        }
        let known = schema.get("properties").and_then(|properties| properties.get(name));
        let rule = known.unwrap_or(&schema["additionalProperties"]);
        assert_ne!(*rule, Value::Bool(false), "{at}.{name} is not in the schema");
        fits(value, rule, root, &format!("{at}.{name}"));
    }
}

fn is(value: &Value, kind: &str) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        other => panic!("no such type: {other}"),
    }
}
