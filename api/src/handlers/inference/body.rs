//! The body of a prediction request. No more of it is kept than its model can use.

use super::super::input::{self, fault as wrong};
use crate::{
    json,
    models::{Description, Rows},
    problem::{FieldError, Problem},
};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Maximum number of errors of a body that are listed.
const MAX_FAULTS: usize = 20;

const EXAMPLE: &str = r#"{"model_name":"iris","input_data":[[5.1,3.5,1.4,0.2]]}"#;
const FIELD: &str = "#/input_data";

/// The parts of a body that matter, as text.
#[derive(Deserialize)]
pub(super) struct Body<'a> {
    #[serde(borrow)]
    model_name: Option<&'a RawValue>,
    #[serde(borrow)]
    input_data: Option<&'a RawValue>,
}

impl<'a> Body<'a> {
    /// Finds the parts.
    ///
    /// # Errors
    /// 400 when the body is not JSON, 422 when it is not an object.
    pub(super) fn read(body: &'a [u8]) -> Result<Self, Problem> {
        input::object_parts(body, EXAMPLE)
    }

    /// The name of the model.
    ///
    /// # Errors
    /// 422 when it is missing or not a string.
    pub(super) fn model_name(&self) -> Result<String, Problem> {
        let fault = |detail: &str| Problem::validation(vec![wrong("#/model_name", detail)]);
        let name = self.model_name.ok_or_else(|| fault("model_name is required"))?;
        serde_json::from_str(name.get()).map_err(|_| fault("must be a string"))
    }

    /// The rows, checked against the input of the model.
    pub(super) fn rows(&self, model: &Description) -> Result<Rows, Vec<FieldError>> {
        let one = |detail: String| Err(vec![wrong(FIELD, detail)]);
        let features = model.features;
        let Some(list) = self.input_data.map(RawValue::get) else {
            return one("input_data is required".to_owned());
        };
        if !json::is_list(list) {
            return one(format!("must be a list of rows with {features} numbers each, such as [[…],[…]]"));
        }
        let (mut count, max) = (0, model.max_rows());
        let mut reader = Reader { features, values: Vec::new(), faults: Vec::new() };
        let read = json::each(list, |row| {
            // Rows beyond the maximum are only counted.
            if count < max {
                reader.row(count, row);
            }
            count += 1;
        });
        if let Err(error) = read {
            return one(error.to_string());
        }
        if count == 0 {
            return one("must have at least one row".to_owned());
        }
        if count > max {
            return one(format!("must have at most {max} rows; {count} were sent"));
        }
        if count % model.rows != 0 {
            return one(format!(
                "must have a multiple of {} rows, which is the batch size of this model",
                model.rows
            ));
        }
        let Reader { values, faults, .. } = reader;
        if faults.is_empty() { Ok(Rows { count, values }) } else { Err(faults) }
    }
}

/// The rows read so far.
struct Reader {
    features: usize,
    values: Vec<f32>,
    faults: Vec<FieldError>,
}

impl Reader {
    fn row(&mut self, at: usize, row: &str) {
        if self.faults.len() >= MAX_FAULTS {
            return;
        }
        if !json::is_list(row) {
            let detail = format!("must be a row, a list of {} numbers", self.features);
            self.faults.push(wrong(&format!("{FIELD}/{at}"), detail));
            return;
        }
        let (mut found, mut odd) = (0, Vec::new());
        let read = json::each(row, |text| {
            if found < self.features {
                let value = number(text).unwrap_or_else(|detail| {
                    if odd.len() < MAX_FAULTS {
                        odd.push(wrong(&format!("{FIELD}/{at}/{found}"), detail));
                    }
                    0.0
                });
                self.values.push(value);
            }
            found += 1;
        });
        if let Err(error) = read {
            self.faults.push(wrong(&format!("{FIELD}/{at}"), error.to_string()));
        } else if found != self.features {
            let detail = format!("must have {} numbers; {found} were sent", self.features);
            self.faults.push(wrong(&format!("{FIELD}/{at}"), detail));
        } else {
            self.faults.extend(odd);
            self.faults.truncate(MAX_FAULTS);
        }
    }
}

/// A number of a row, from its text.
fn number(text: &str) -> Result<f32, &'static str> {
    if !text.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
        return Err("must be a number");
    }
    let value = text.parse::<f64>().ok().map(|number| number as f32).filter(|value| value.is_finite());
    value.ok_or("must fit in a 32-bit floating point number")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn model(rows: usize) -> Description {
        Description { inputs: vec![], outputs: vec![], features: 2, predictions: 1, rows, classes: None }
    }

    fn check(input: Value, at_once: usize) -> Result<Rows, Vec<String>> {
        let body = if input.is_null() { json!({}) } else { json!({"input_data": input}) }.to_string();
        Body::read(body.as_bytes()).unwrap().rows(&model(at_once)).map_err(|faults| {
            faults.iter().map(|fault| format!("{} {}", fault.pointer, fault.detail)).collect()
        })
    }

    #[test]
    fn reads_rows_in_order() {
        let found = check(json!([[1, 2.5], [-3, 1e-3]]), 1).unwrap();
        assert_eq!(found, Rows { count: 2, values: vec![1.0, 2.5, -3.0, 0.001] });
        assert_eq!(check(json!([[1, 2], [3, 4]]), 2).unwrap().count, 2);
    }

    #[test]
    fn points_at_each_wrong_value() {
        for (input, at_once, expected) in [
            (json!(null), 1, &["#/input_data input_data is required"][..]),
            (
                json!("1,2"),
                1,
                &["#/input_data must be a list of rows with 2 numbers each, such as [[…],[…]]"],
            ),
            (json!([]), 1, &["#/input_data must have at least one row"]),
            (
                json!([1, 2]),
                1,
                &["#/input_data/0 must be a row, a list of 2", "#/input_data/1 must be a row, a list of 2"],
            ),
            (
                json!([[1, 2], [1], [1, 2, 3]]),
                1,
                &["#/input_data/1 must have 2 numbers; 1 were", "#/input_data/2 must have 2 numbers; 3 were"],
            ),
            (
                json!([[1, "NaN"], [null, true]]),
                1,
                &[
                    "#/input_data/0/1 must be a number",
                    "#/input_data/1/0 must be",
                    "#/input_data/1/1 must be",
                ],
            ),
            (json!([[1e39, 0], [-1e39, 0]]), 1, &["#/input_data/0/0 must fit", "#/input_data/1/0 must fit"]),
            (json!(vec![[0, 0]; 1025]), 1, &["#/input_data must have at most 1024 rows; 1025 were"]),
            (json!([[1, 2], [3, 4], [5, 6]]), 2, &["#/input_data must have a multiple of 2 rows"]),
        ] {
            let found = check(input.clone(), at_once).unwrap_err();
            assert_eq!(found.len(), expected.len(), "{found:?}");
            for (found, expected) in found.iter().zip(expected) {
                assert!(found.starts_with(expected), "{found} / {expected}");
            }
        }
        assert_eq!(check(json!(vec![["x", "y"]; 500]), 1).unwrap_err().len(), MAX_FAULTS);
        assert_eq!(check(json!(vec![0; 500]), 1).unwrap_err().len(), MAX_FAULTS);
    }

    #[test]
    fn keeps_no_more_than_the_model_can_use() {
        let mut reader = Reader { features: 2, values: Vec::new(), faults: Vec::new() };
        reader.row(0, &format!("[{}]", vec!["1"; 100_000].join(",")));
        assert_eq!((reader.values.len(), reader.faults.len()), (2, 1));
        for row in 1..1000 {
            reader.row(row, "[[0],{}]");
        }
        assert_eq!(reader.faults.len(), MAX_FAULTS);
        assert!(reader.values.len() <= 2 * (MAX_FAULTS + 1), "{}", reader.values.len());
    }

    #[test]
    fn a_name_is_a_string() {
        let name = |body: &str| Body::read(body.as_bytes()).unwrap().model_name().ok();
        assert_eq!(name(r#"{"x":[[1]],"model_name":"i\u0072is"}"#).as_deref(), Some("iris"));
        for bad in [r#"{"model_name":7}"#, r#"{"model_name":["iris"]}"#, "{}"] {
            assert_eq!(name(bad), None, "{bad}");
        }
    }
}
