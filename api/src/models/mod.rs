//! ONNX models: files in the models folder, loaded by name, run by a fixed number of threads behind a bounded queue.
//!
//! A file passes folder → wire (its structure) → network (parsed and tested once) → registry; a request passes registry
//! → queue → worker. Whatever a file contains, loading it ends with a model or an error; other models keep serving.
//!
//! The folder belongs to the operator. A model is a program: it cannot read or write anything of the gateway, but its
//! time and memory are bounded only by the file's size, the rows of a request and the deadline.

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
pub use loading::{LoadError, MAX_MODELS};
pub use registry::LoadedModel;
pub use service::{AVAILABLE, Models, OpenError, Settings};
pub use worker::InferError;
