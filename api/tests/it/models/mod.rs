//! Models and their predictions.

#[cfg(feature = "inference")]
pub mod bodies;
pub mod folder;
#[cfg(feature = "inference")]
pub mod inference;
#[cfg(feature = "inference")]
pub mod loading;
#[cfg(not(feature = "inference"))]
pub mod without_inference;
