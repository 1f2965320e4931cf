use super::{docs, faults, gauges, health, index, inference, ingest, models, orders, readings, users};
use crate::problem;

/// Lists the description of every handler. [`crate::openapi`] adds what is common to all of them.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Firedrill gateway",
        description = "A monitored gateway: users, probes, and endpoints that respond slowly or with errors on request.\n\n\
                       Every response has `X-Request-Id`: the caller's if it consists of 1 to 64 letters, digits, `-`, \
                       `_` and `.`, otherwise a new one. Every error is `application/problem+json` (RFC 9457). Every \
                       route with GET has HEAD. Responses to OPTIONS and with status 405 have `Allow`. On limited \
                       routes `RateLimit` has the remaining quota. A response changed by an injected fault has \
                       `X-Fault-Injected`.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    paths(
        index::index,
        health::health,
        health::livez,
        health::readyz,
        health::metrics,
        users::list,
        users::create,
        users::get,
        users::update,
        users::delete,
        orders::place,
        orders::get,
        orders::change,
        ingest::ingest,
        readings::list,
        models::list,
        models::get,
        models::load,
        models::unload,
        inference::infer,
        faults::slow,
        faults::error,
        gauges::active_users,
        gauges::cpu_usage,
        docs::openapi,
        docs::page,
    ),
    components(schemas(problem::Body)),
    tags(
        (name = "users"),
        (name = "orders", description = "Orders, placed, paid, shipped or cancelled; a source of business metrics."),
        (name = "readings", description = "Readings of wearables."),
        (name = "models"),
        (name = "faults", description = "Endpoints that trigger alerts."),
        (name = "gauges", description = "Gauges that requests set."),
        (name = "probes"),
        (name = "start"),
    ),
)]
pub(crate) struct Described;
