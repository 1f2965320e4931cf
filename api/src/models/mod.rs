//! ONNX models: files in the models folder, loaded by name, run by a fixed number of threads behind a bounded queue.
//!
//! A file goes folder → wire (its outline) → network (parsed and tried once) → registry; a request goes registry → queue → worker.
//! Whatever a file holds, loading it ends in a model or in a reason; the models loaded before serve on.
//!
//! The folder is the operator's: a model is a program, and though it cannot read or write anything of ours, the
//! time and memory it takes are bounded by the file's size, the rows of a request and the deadline only.

#[cfg(not(feature = "inference"))]
#[path = "absent.rs"]
mod network;
#[cfg(feature = "inference")]
mod network;

mod describe;
mod fault;
mod folder;
mod infer;
mod load;
mod loading;
mod metrics;
mod queue;
mod registry;
pub(crate) mod service;
#[cfg(feature = "inference")]
mod wire;
mod worker;

pub use describe::{Description, Port, Rows};
pub use folder::ModelName;
pub use infer::Inferred;
pub use loading::{LoadError, MOST_MODELS};
pub use registry::LoadedModel;
pub use service::{AVAILABLE, Models, OpenError, Settings};
pub use worker::InferError;
