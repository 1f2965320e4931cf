//! An ONNX network: read by `rten`, checked for a supported shape, tested once, run.

use super::{
    describe::{Description, MAX_NUMBERS, MAX_ROWS, Port, Rows, Unfit},
    wire,
};
use rten::{DataType, Dimension, Model, ModelOptions, NodeId, RunOptions, ThreadPool, Value, ValueType};
use rten_tensor::prelude::*;
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

/// Longest error message passed on, in characters.
const LONGEST_REASON: usize = 300;

/// Threads for the work within one run.
pub(super) struct Pool(Arc<ThreadPool>);

impl Pool {
    /// One thread: requests run in parallel, not the parts of one.
    pub(super) fn single() -> Self {
        Self(Arc::new(ThreadPool::with_num_threads(1)))
    }
}

/// A network that can be run: one input of rows of 32-bit floating point numbers, one output with as many rows.
pub(super) struct Network {
    model: Model,
    input: NodeId,
    output: NodeId,
    /// The input's shape for [`Description::rows`] rows.
    row_shape: Vec<usize>,
    /// Whether a run accepts any number of rows; otherwise exactly [`Description::rows`].
    any_rows: bool,
    description: Description,
}

impl std::fmt::Debug for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Network").field("description", &self.description).finish_non_exhaustive()
    }
}

impl Network {
    /// Reads a network from the bytes of an ONNX file and runs it once on zeros. The error may be sent to clients. A
    /// panic of the reader is such an error too.
    pub(super) fn parse(bytes: Vec<u8>) -> Result<Self, Unfit> {
        let unread = |reason: &str| Unfit(format!("the file is not a runnable ONNX model: {}", tidy(reason)));
        wire::check(&bytes).map_err(unread)?;
        let read = || ModelOptions::with_all_ops().load(bytes).map_err(|error| Unfit(error.to_string()));
        let model = guarded(read).map_err(|reason| unread(&reason.0))?;
        let mut network = Self::of(model)?;
        network.try_out()?;
        Ok(network)
    }

    fn of(model: Model) -> Result<Self, Unfit> {
        let [input] = *model.input_ids() else {
            return Err(Unfit(format!("the model must have one input; it has {}", model.input_ids().len())));
        };
        let info = model.node_info(input).ok_or("the model's input is not in its graph")?;
        if info.dtype() != Some(ValueType::Tensor(DataType::Float)) {
            return Err("the model's input must be 32-bit floating point numbers".into());
        }
        let shape = port(&model, input).shape;
        let Some((rows, features)) = shape.split_first().filter(|(_, features)| !features.is_empty()) else {
            return Err(
                "the model's input must have a dimension for rows and one for the features of a row".into()
            );
        };
        let Some(sizes) = features.iter().copied().collect::<Option<Vec<usize>>>() else {
            return Err("the number of features in a row must be fixed".into());
        };
        let features =
            width(&sizes).ok_or_else(|| Unfit(format!("a row must have 1 to {MAX_NUMBERS} features")))?;
        let output = model.output_ids().iter().copied().find(|id| {
            let info = model.node_info(*id);
            let kind = info.and_then(|info| info.dtype());
            kind.is_none_or(|kind| kind == ValueType::Tensor(DataType::Float))
        });
        let output = output.ok_or("the model has no output of 32-bit floating point numbers")?;
        let rows_at_once = rows.unwrap_or(1);
        if !(1..=MAX_ROWS).contains(&rows_at_once) || rows_at_once * features > MAX_NUMBERS {
            return Err(Unfit(format!(
                "the model's batch of {rows_at_once} rows of {features} features is too large: it must have 1 to \
                 {MAX_ROWS} rows and at most {MAX_NUMBERS} numbers"
            )));
        }
        let description = Description {
            inputs: vec![port(&model, input)],
            outputs: model.output_ids().iter().map(|id| port(&model, *id)).collect(),
            features,
            predictions: 0,
            rows: rows_at_once,
            classes: None,
        };
        let any_rows = rows.is_none();
        let row_shape = std::iter::once(rows_at_once).chain(sizes).collect();
        Ok(Self { model, input, output, row_shape, any_rows, description })
    }

    /// Finds the number of predictions per row, and checks that operators and weights fit.
    fn try_out(&mut self) -> Result<(), Unfit> {
        let rows = if self.any_rows { 2 } else { self.description.rows };
        let zeros = vec![0.0; rows * self.description.features];
        let trial = || self.run_once(&zeros, rows, &Pool::single());
        let predictions =
            guarded(trial).map_err(|reason| Unfit(format!("the test run failed: {}", tidy(&reason.0))))?;
        self.description.predictions = predictions.len() / rows;
        if self.description.rows > self.description.max_rows() {
            return Err(Unfit(format!(
                "the model returns {} numbers for its batch of {} rows; it must have at most {} rows",
                predictions.len(),
                self.description.rows,
                self.description.max_rows()
            )));
        }
        let classes = self.model.metadata().get("classes");
        self.description.classes =
            classes.and_then(|text| Description::classes_from(text, self.description.predictions));
        Ok(())
    }

    /// Its inputs and outputs.
    pub(super) fn description(&self) -> &Description {
        &self.description
    }

    /// Runs rows that fit the description; predictions are in row order. A panic is an error.
    pub(super) fn run(&self, rows: &Rows, pool: &Pool) -> Result<Vec<f32>, Unfit> {
        let Description { features, rows: at_once, predictions, .. } = self.description;
        let at_once = if self.any_rows { rows.count.max(1) } else { at_once };
        let mut all = Vec::with_capacity(rows.count * predictions);
        for part in rows.values.chunks(at_once * features) {
            all.extend(guarded(|| self.run_once(part, at_once, pool))?);
        }
        let expected = rows.count * predictions;
        if all.len() != expected {
            return Err(Unfit(format!("the model returned {} predictions instead of {expected}", all.len())));
        }
        Ok(all)
    }

    fn run_once(&self, values: &[f32], rows: usize, pool: &Pool) -> Result<Vec<f32>, Unfit> {
        let mut shape = self.row_shape.clone();
        shape[0] = rows;
        let input = Value::from_shape(shape, values.to_vec()).map_err(|error| Unfit(error.to_string()))?;
        let options = RunOptions::default().with_thread_pool(Some(pool.0.clone()));
        let outputs = self.model.run(vec![(self.input, input.into())], &[self.output], Some(options));
        let output = outputs.map_err(|error| Unfit(error.to_string()))?.into_iter().next();
        let Some(Value::FloatTensor(tensor)) = output else {
            return Err("the output is not a tensor of floating point numbers".into());
        };
        let shape = tensor.shape().to_vec();
        match shape.split_first() {
            Some((first, rest)) if *first == rows && (rest.is_empty() || width(rest).is_some()) => {
                Ok(tensor.to_vec())
            }
            _ => Err(Unfit(format!("the shape of the output, {shape:?}, does not fit {rows} rows of input"))),
        }
    }
}

/// Runs code that may panic on invalid input; the panic becomes an error.
fn guarded<T>(work: impl FnOnce() -> Result<T, Unfit>) -> Result<T, Unfit> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err("the model runtime panicked".into()))
}

/// The product of sizes; `None` when it is 0 or above [`MAX_NUMBERS`].
fn width(sizes: &[usize]) -> Option<usize> {
    let product = sizes.iter().try_fold(1usize, |product, size| product.checked_mul(*size))?;
    (1..=MAX_NUMBERS).contains(&product).then_some(product)
}

fn port(model: &Model, id: NodeId) -> Port {
    let info = model.node_info(id);
    let name = info.as_ref().and_then(|info| info.name()).unwrap_or_default();
    let shape = info.as_ref().and_then(|info| info.shape()).unwrap_or_default();
    let size = |dimension: &Dimension| match dimension {
        Dimension::Fixed(size) => Some(*size),
        Dimension::Symbolic(_) => None,
    };
    Port { name: tidy(name), shape: shape.iter().map(size).collect() }
}

/// Text from a file, without control characters and of limited length.
fn tidy(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(LONGEST_REASON).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::{fs, path::Path};

    fn file(path: &str) -> Vec<u8> {
        fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
    }

    fn network(path: &str) -> Network {
        Network::parse(file(path)).unwrap_or_else(|reason| panic!("{path}: {reason}"))
    }

    fn run(network: &Network, rows: &[&[f32]]) -> Vec<f32> {
        let rows = Rows { count: rows.len(), values: rows.concat() };
        network.run(&rows, &Pool::single()).unwrap()
    }

    #[test]
    fn describes_the_shipped_models() {
        for (path, features, classes) in [
            ("models/iris.onnx", 4, "setosa versicolor virginica"),
            ("models/digits.onnx", 64, "0 1 2 3 4 5 6 7 8 9"),
        ] {
            let network = network(path);
            let found = network.description();
            let classes: Vec<&str> = classes.split(' ').collect();
            assert_eq!(found.features, features, "{path}");
            assert_eq!(found.predictions, classes.len(), "{path}");
            assert_eq!(found.classes.as_ref().unwrap(), &classes, "{path}");
            let input = Port { name: "features".to_owned(), shape: vec![None, Some(features)] };
            let output = Port { name: "probabilities".to_owned(), shape: vec![None, Some(classes.len())] };
            assert_eq!((&found.inputs, &found.outputs), (&vec![input], &vec![output]), "{path}");
        }
    }

    #[test]
    fn iris_predicts_the_same_as_the_training_script() {
        let network = network("models/iris.onnx");
        let found = run(&network, &[&[5.1, 3.5, 1.4, 0.2], &[5.0, 2.0, 3.5, 1.0], &[6.9, 3.2, 5.7, 2.3]]);
        // From ONNX Runtime, for rows 0, 60 and 120 of the data set.
        let expected = [
            0.997_018, 0.002_960, 0.000_022, 0.001_540, 0.976_159, 0.022_301, 0.000_026, 0.002_466, 0.997_508,
        ];
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-5, "{found} {expected}");
        }
    }

    #[test]
    fn serves_other_valid_shapes() {
        let sum = network("tests/fixtures/models/sum3.onnx");
        assert_eq!(run(&sum, &[&[1.0, 2.0, 3.0], &[0.5, 0.0, -1.0]]), [6.0, -0.5]);
        let one_row = network("tests/fixtures/models/one-row.onnx");
        assert_eq!(run(&one_row, &[&[1.0, -1.0], &[-2.0, 2.0]]), [1.0, 0.0, 0.0, 2.0], "one row at a time");
        let image = network("tests/fixtures/models/image.onnx");
        assert_eq!(image.description().features, 4);
        assert_eq!(run(&image, &[&[1.0, -1.0, 2.0, -2.0]]), [1.0, 0.0, 2.0, 0.0]);
    }

    #[test]
    fn rejects_unusable_models_with_a_reason() {
        for (name, needle) in [
            ("two-inputs", "it has 2"),
            ("whole-numbers", "32-bit"),
            ("any-width", "must be fixed"),
            ("no-rows", "dimension for rows"),
            ("rows-lost", "the test run failed"),
            ("unknown-operator", "Teleport"),
            ("inner-mismatch", "the test run failed"),
        ] {
            let reason =
                Network::parse(file(&format!("tests/fixtures/models/{name}.onnx"))).unwrap_err().to_string();
            assert!(reason.contains(needle), "{name}: {reason}");
        }
        for bytes in
            [&b""[..], b"not a model", b"RTEN\0\0\0\0", &[0xff; 1000], &[0; 1000], b"<html>404</html>"]
        {
            let reason = Network::parse(bytes.to_vec()).unwrap_err().to_string();
            assert!(reason.contains("not a runnable ONNX model"), "{reason}");
        }
    }

    proptest! {
        /// Whatever happens to a file in transit, loading it ends.
        #[test]
        fn damaged_files_load_or_fail_with_a_reason(
            cut in 0usize..1069,
            flips in proptest::collection::vec((0usize..1069, any::<u8>()), 0..8),
        ) {
            let mut bytes = include_bytes!("../../models/iris.onnx").to_vec();
            for (at, value) in flips {
                let at = at % bytes.len();
                bytes[at] = value;
            }
            if cut > 900 {
                bytes.truncate(cut);
            }
            if let Err(reason) = Network::parse(bytes) {
                prop_assert!(!reason.to_string().is_empty());
            }
        }
    }
}
