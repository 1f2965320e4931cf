use super::{docs, faults, gauges, health, index, inference, ingest, models, readings, users};
use crate::problem;

/// Every handler's description. [`crate::openapi`] adds what holds for all of them, so this lists and no more.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Firedrill gateway",
        description = "A monitored gateway: users, probes, and endpoints that are slow or wrong on purpose.\n\n\
                       Every answer carries `X-Request-Id`, the caller's when it is short and clean. Every error is \
                       `application/problem+json` (RFC 9457). HEAD answers wherever GET does; OPTIONS, and the 405 that \
                       any other method gets, carry `Allow`. Limited answers say in `RateLimit` what is left. An \
                       answer that an operator's fault plane gave carries `X-Fault-Injected`.",
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
        (name = "readings", description = "Of wearables."),
        (name = "models"),
        (name = "faults", description = "To trip alerts with."),
        (name = "gauges", description = "Set by hand."),
        (name = "probes"),
        (name = "start"),
    ),
)]
pub(crate) struct Described;
