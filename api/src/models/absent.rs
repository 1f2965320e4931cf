//! Replaces the ONNX reader in a build without it: a network type without values.

use super::describe::{Description, Rows, Unfit};

/// Has no values.
#[derive(Debug)]
pub(super) enum Network {}

impl Network {
    pub(super) fn parse(_: Vec<u8>) -> Result<Self, Unfit> {
        Err("this build does not include models".into())
    }

    pub(super) fn description(&self) -> &Description {
        match *self {}
    }

    pub(super) fn run(&self, _: &Rows, _: &Pool) -> Result<Vec<f32>, Unfit> {
        match *self {}
    }
}

/// Placeholder for the threads that run networks.
pub(super) struct Pool;

impl Pool {
    pub(super) fn single() -> Self {
        Self
    }
}
