use super::error::SettingError;
use crate::models::service::Settings;
use std::{path::PathBuf, time::Duration};

/// Where models come from and how inference is bounded.
#[derive(Debug, Clone, clap::Args)]
pub struct ModelSettings {
    /// Folder of ONNX models, NAME.onnx each [default: ./api/models when there is one, else ./models]
    #[arg(long, env = "MODELS_DIR", value_name = "MODELS_DIR")]
    pub models_dir: Option<PathBuf>,

    /// Threads that run models, 1 to 256 [default: one per core]
    #[arg(long, env = "INFERENCE_WORKERS", value_name = "INFERENCE_WORKERS", value_parser = workers)]
    pub inference_workers: Option<usize>,

    /// Requests that may wait for a model, 1 to 100000; further ones are answered 503
    #[arg(
        long,
        env = "INFERENCE_QUEUE",
        value_name = "INFERENCE_QUEUE",
        default_value = "64",
        value_parser = queue
    )]
    pub inference_queue: usize,

    /// Longest a request waits for its predictions, queue included, before it is answered 504
    #[arg(
        long,
        env = "INFERENCE_DEADLINE",
        value_name = "INFERENCE_DEADLINE",
        default_value = "5s",
        value_parser = super::value::positive_duration
    )]
    pub inference_deadline: Duration,

    /// Longest a model may take to be loaded and tried before the PUT is answered 504
    #[arg(
        long,
        env = "MODEL_LOAD_TIMEOUT",
        value_name = "MODEL_LOAD_TIMEOUT",
        default_value = "60s",
        value_parser = super::value::positive_duration
    )]
    pub model_load_timeout: Duration,
}

impl ModelSettings {
    /// The settings of the models themselves.
    ///
    /// # Errors
    /// When `MODELS_DIR` names no folder.
    pub fn settings(&self) -> Result<Settings, SettingError> {
        Ok(Settings {
            folder: self.folder()?,
            workers: self.inference_workers.unwrap_or_else(|| {
                std::thread::available_parallelism().map_or(1, |cores| cores.get().min(256))
            }),
            queue: self.inference_queue,
            deadline: self.inference_deadline,
            load_timeout: self.model_load_timeout,
        })
    }

    /// The models folder. One that was named has to be there; the default need not: then no model is loaded.
    fn folder(&self) -> Result<PathBuf, SettingError> {
        // An empty variable counts as unset, as compose files write it.
        let Some(named) = self.models_dir.as_ref().filter(|path| !path.as_os_str().is_empty()) else {
            let in_checkout = PathBuf::from("api/models");
            return Ok(if in_checkout.is_dir() { in_checkout } else { PathBuf::from("models") });
        };
        let reason = match std::fs::read_dir(named) {
            Ok(_) => return Ok(named.clone()),
            Err(error) => format!("is not a folder that can be read ({error})"),
        };
        Err(SettingError {
            variable: "MODELS_DIR",
            value: named.display().to_string(),
            reason,
            remedy: "name a folder of NAME.onnx files, or leave it out for ./api/models or ./models",
        })
    }
}

fn workers(text: &str) -> Result<usize, String> {
    super::value::whole(text, 1, 256)
}

fn queue(text: &str) -> Result<usize, String> {
    super::value::whole(text, 1, 100_000)
}
