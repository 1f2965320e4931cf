//! The inputs and outputs of a model.

use serde::Serialize;

/// Maximum number of input rows in a request.
pub(super) const MAX_ROWS: usize = 1024;

/// Maximum number of numbers in a row of input or of predictions, and in all rows of a request.
pub(super) const MAX_NUMBERS: usize = 1_000_000;

/// Why a network cannot be served or run, in words that may be sent to clients.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Unfit(pub(super) String);

impl<T: Into<String>> From<T> for Unfit {
    fn from(reason: T) -> Self {
        Self(reason.into())
    }
}

/// Input rows, checked against a model's shape.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    /// Number of rows.
    pub count: usize,
    /// Their numbers, row after row.
    pub values: Vec<f32>,
}

/// An input or output of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Port {
    /// Its name in the ONNX graph.
    pub name: String,
    /// The size of each dimension; `None` (null) for a dynamic one.
    pub shape: Vec<Option<usize>>,
}

/// A model as shown by `GET /models`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Description {
    /// Inputs: always one, with a dimension for rows and one or more within a row.
    pub inputs: Vec<Port>,
    /// Outputs, in the file's order.
    pub outputs: Vec<Port>,
    /// Numbers in a row of input.
    pub features: usize,
    /// Numbers in a row of predictions.
    pub predictions: usize,
    /// The rows of a request must be a multiple of this; 1 for most models.
    pub rows: usize,
    /// Class names of the predictions, if the file's metadata has them under `classes`, separated by commas.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub classes: Option<Vec<String>>,
}

impl Description {
    /// Maximum number of rows of a request: 1024, or fewer for wide rows or predictions, so that neither the input nor
    /// the response exceeds a million numbers.
    pub fn max_rows(&self) -> usize {
        (MAX_NUMBERS / self.features.max(self.predictions).max(1)).clamp(1, MAX_ROWS)
    }

    /// Maximum size of a request's body in bytes: the maximum number of rows, with as much text per number as an
    /// encoder that indents uses.
    pub fn largest_body(&self) -> usize {
        const NUMBER: usize = 40;
        const ROW: usize = 64;
        const REST: usize = 4096;
        self.max_rows() * (self.features * NUMBER + ROW) + REST
    }

    /// The class of the largest prediction of a row; `None` when the model has no classes.
    pub fn class_of(&self, predictions: &[f32]) -> Option<&str> {
        let classes = self.classes.as_ref()?;
        let largest = predictions.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1))?;
        classes.get(largest.0).map(String::as_str)
    }

    /// Class names from the metadata, if there is one for each prediction.
    #[cfg_attr(
        not(any(feature = "inference", test)),
        expect(dead_code, reason = "class names are read only with the feature `inference`")
    )]
    pub(super) fn classes_from(text: &str, predictions: usize) -> Option<Vec<String>> {
        let names: Vec<String> = text.split(',').map(|name| name.trim().to_owned()).collect();
        let fine = names.len() == predictions && predictions > 1 && names.iter().all(|name| !name.is_empty());
        fine.then_some(names)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requires_a_class_name_for_each_prediction() {
        for (text, predictions, named) in
            [("a, b,c", 3, true), ("a,b", 3, false), ("a,,c", 3, false), ("a", 1, false), ("", 2, false)]
        {
            assert_eq!(Description::classes_from(text, predictions).is_some(), named, "{text:?}");
        }
    }

    #[test]
    fn limits_the_number_of_wide_rows() {
        for (features, predictions, max) in
            [(4, 3, 1024), (64, 10, 1024), (1000, 1, 1000), (2, 10_000, 100), (1_000_000, 1, 1)]
        {
            let model = Description {
                inputs: vec![],
                outputs: vec![],
                features,
                predictions,
                rows: 1,
                classes: None,
            };
            assert_eq!(model.max_rows(), max, "{features} {predictions}");
        }
    }

    #[test]
    fn the_class_is_that_of_the_largest_prediction() {
        let classes = Description::classes_from("a,b,c", 3);
        let model =
            Description { inputs: vec![], outputs: vec![], features: 1, predictions: 3, rows: 1, classes };
        for (row, class) in [([0.1, 0.7, 0.2], "b"), ([-3.0, -2.0, -1.0], "c"), ([1.0, 0.0, 0.0], "a")] {
            assert_eq!(model.class_of(&row), Some(class), "{row:?}");
        }
        assert_eq!(Description { classes: None, ..model }.class_of(&[1.0]), None);
    }
}
