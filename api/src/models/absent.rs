//! In place of the ONNX reader in a build without it: a network of which there is none.

use super::describe::{Description, Rows};

/// No value of it exists.
#[derive(Debug)]
pub(super) enum Network {}

impl Network {
    pub(super) fn parse(_: Vec<u8>) -> Result<Self, String> {
        Err("this build runs no models".to_owned())
    }

    pub(super) fn description(&self) -> &Description {
        match *self {}
    }

    pub(super) fn run(&self, _: &Rows, _: &Pool) -> Result<Vec<f32>, String> {
        match *self {}
    }
}

/// Threads that would run networks.
pub(super) struct Pool;

impl Pool {
    pub(super) fn single() -> Self {
        Self
    }
}
