//! The OpenAPI 3.1 description of the API: the descriptions of the handlers, completed with what all responses have in
//! common from the table of routes.
//!
//! A handler describes its parameters, its bodies and the statuses specific to it; an error needs only a status and a
//! reason. Added here: HEAD and OPTIONS, the problem body of every error, 401 and 429 where keys and limits apply, 400,
//! 408, 413 and 415 where a body is read, 500, 501 for models, 503 for stored data, and the headers of all of them.

mod common;

use crate::{handlers::Described, routes};
use std::sync::LazyLock;
use utoipa::{
    OpenApi as _,
    openapi::{OpenApi, PathItem, path::Operation},
};

/// Routes that behave like another one, with the suffix of their operation's id.
const ALIASES: &[(&str, &str, &str)] =
    &[(routes::SLOW.path, routes::API_SLOW.path, "api"), (routes::ERROR.path, routes::API_ERROR.path, "api")];

/// The complete description as JSON, created once.
pub(crate) fn text() -> &'static str {
    static TEXT: LazyLock<String> =
        LazyLock::new(|| describe().to_json().expect("a tree of strings and numbers always serializes"));
    &TEXT
}

fn describe() -> OpenApi {
    let mut api = Described::openapi();
    for (of, alias, suffix) in ALIASES {
        if let Some(mut item) = api.paths.paths.get(*of).cloned() {
            each(&mut item, |_, operation| rename(operation, suffix));
            api.paths.paths.insert((*alias).to_owned(), item);
        }
    }
    for (path, item) in &mut api.paths.paths {
        let Some(endpoint) = routes::find(Some(path)) else { continue };
        // PUT and PATCH may share a handler and its id, but ids must be unique.
        if item.put.is_some()
            && let Some(patch) = &mut item.patch
        {
            rename(patch, "patch");
        }
        each(item, |method, operation| common::complete(operation, endpoint, method));
        item.head = item.get.as_ref().map(common::head);
        item.options = Some(common::options(endpoint));
        item.parameters = Some(common::parameters());
    }
    api
}

fn rename(operation: &mut Operation, suffix: &str) {
    if let Some(id) = &mut operation.operation_id {
        *id = format!("{id}_{suffix}");
    }
}

/// Calls `with` for every operation with its method.
fn each(item: &mut PathItem, mut with: impl FnMut(&'static str, &mut Operation)) {
    for (method, operation) in [
        ("GET", &mut item.get),
        ("HEAD", &mut item.head),
        ("POST", &mut item.post),
        ("PUT", &mut item.put),
        ("PATCH", &mut item.patch),
        ("DELETE", &mut item.delete),
        ("OPTIONS", &mut item.options),
    ] {
        if let Some(operation) = operation {
            with(method, operation);
        }
    }
}

#[cfg(test)]
mod tests;
