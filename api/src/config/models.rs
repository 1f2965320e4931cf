use super::{error::SettingError, value};
use crate::models::service::Settings;
use std::{path::PathBuf, time::Duration};

/// Models and inference.
#[derive(Debug, Clone, clap::Args)]
pub struct ModelSettings {
    /// Folder of ONNX models, one NAME.onnx each [default: ./api/models if it exists, else ./models]
    #[arg(long, env)]
    pub models_dir: Option<PathBuf>,

    /// Threads that run models, 1 to 256 [default: one per core]
    #[arg(long, env, value_parser = |text: &str| value::integer(text, 1_usize, 256))]
    pub inference_workers: Option<usize>,

    /// Requests that may wait for a model, 1 to 100000; further ones get 503
    #[arg(long, env, default_value = "64", value_parser = |text: &str| value::integer(text, 1_usize, 100_000))]
    pub inference_queue: usize,

    /// Maximum time a request waits for its predictions, including time in the queue, before it gets 504
    #[arg(long, env, default_value = "5s", value_parser = value::positive_duration)]
    pub inference_deadline: Duration,

    /// Maximum time to load and test a model before the PUT gets 504
    #[arg(long, env, default_value = "60s", value_parser = value::positive_duration)]
    pub model_load_timeout: Duration,
}

impl ModelSettings {
    /// The settings of the models themselves.
    ///
    /// # Errors
    /// When `MODELS_DIR` is not a folder.
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

    /// The models folder. A configured one must exist; the default need not, and then no model is loaded.
    fn folder(&self) -> Result<PathBuf, SettingError> {
        // An empty variable counts as unset, as compose files write it.
        let Some(named) = self.models_dir.as_ref().filter(|path| !path.as_os_str().is_empty()) else {
            let in_checkout = PathBuf::from("api/models");
            return Ok(if in_checkout.is_dir() { in_checkout } else { PathBuf::from("models") });
        };
        let reason = match std::fs::read_dir(named) {
            Ok(_) => return Ok(named.clone()),
            Err(error) => format!("is not a readable folder ({error})"),
        };
        Err(SettingError {
            variable: "MODELS_DIR",
            value: named.display().to_string(),
            reason,
            remedy: "set it to a folder of NAME.onnx files, or unset it to use ./api/models or ./models",
        })
    }
}
