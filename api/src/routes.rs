//! The table of routes: handlers register from it, metrics create their initial series from it, and the route label
//! of a request is always one of its entries.

use std::sync::LazyLock;

/// A route template, its methods, and whether rate limits and faults apply.
#[derive(Debug)]
pub(crate) struct Endpoint {
    /// The template as registered and as it appears in the `route` label.
    pub path: &'static str,
    /// Supported methods except OPTIONS, which every route supports.
    pub methods: &'static [&'static str],
    /// The value of `Allow`.
    pub allow: &'static str,
    /// Probes and `/metrics` are exempt from limits and faults: refusing a monitor would report a false outage.
    pub limited: bool,
}

impl Endpoint {
    /// Whether a GET sets a gauge.
    pub(crate) fn writes_on_get(&self) -> bool {
        [UPDATE.path, CPU.path].contains(&self.path)
    }

    /// Whether it exists to trigger alerts: `TEST_ENDPOINTS` switches these off.
    pub(crate) fn is_for_tests(&self) -> bool {
        self.writes_on_get() || [SLOW.path, API_SLOW.path, ERROR.path, API_ERROR.path].contains(&self.path)
    }
}

/// `endpoint!(PATH, limited: BOOL, METHOD, …)`: `Allow` follows from the methods.
macro_rules! endpoint {
    ($path:expr, limited: $limited:expr, $($method:literal),+) => {
        $crate::routes::Endpoint {
            path: $path,
            methods: &[$($method),+],
            allow: concat!($($method, ", ",)+ "OPTIONS"),
            limited: $limited,
        }
    };
}
pub(crate) use endpoint;

const fn read(path: &'static str) -> Endpoint {
    endpoint!(path, limited: true, "GET", "HEAD")
}

pub(crate) const fn probe(path: &'static str) -> Endpoint {
    endpoint!(path, limited: false, "GET", "HEAD")
}

pub(crate) const INDEX: Endpoint = read("/");
pub(crate) const HEALTH: Endpoint = probe("/health");
pub(crate) const LIVEZ: Endpoint = probe("/livez");
pub(crate) const READYZ: Endpoint = probe("/readyz");
pub(crate) const METRICS: Endpoint = probe("/metrics");
pub(crate) const USERS: Endpoint = endpoint!("/api/users", limited: true, "GET", "HEAD", "POST");
pub(crate) const USER: Endpoint =
    endpoint!("/api/users/{id}", limited: true, "GET", "HEAD", "PUT", "PATCH", "DELETE");
pub(crate) const ORDERS: Endpoint = endpoint!("/api/orders", limited: true, "POST");
pub(crate) const ORDER: Endpoint = endpoint!("/api/orders/{id}", limited: true, "GET", "HEAD", "PATCH");
pub(crate) const INGEST: Endpoint = endpoint!("/api/ingest", limited: true, "POST");
pub(crate) const READINGS: Endpoint = read("/api/readings");
pub(crate) const SLOW: Endpoint = read("/slow");
pub(crate) const API_SLOW: Endpoint = read("/api/slow");
pub(crate) const ERROR: Endpoint = read("/error");
pub(crate) const API_ERROR: Endpoint = read("/api/error");
pub(crate) const UPDATE: Endpoint = read("/update");
pub(crate) const CPU: Endpoint = read("/cpu");
pub(crate) const OPENAPI: Endpoint = read("/openapi.json");
pub(crate) const DOCS: Endpoint = read("/docs");

pub(crate) const MODELS: Endpoint = read("/models");
pub(crate) const MODEL: Endpoint = endpoint!("/models/{name}", limited: true, "GET", "HEAD", "PUT", "DELETE");
pub(crate) const INFERENCE: Endpoint = endpoint!("/inference", limited: true, "POST");

/// Every route.
pub(crate) const ALL: &[Endpoint] = &[
    INDEX, HEALTH, LIVEZ, READYZ, METRICS, USERS, USER, ORDERS, ORDER, INGEST, READINGS, SLOW, API_SLOW,
    ERROR, API_ERROR, UPDATE, CPU, MODELS, MODEL, INFERENCE, OPENAPI, DOCS,
];

/// The `route` label of requests that match no route.
pub(crate) const UNMATCHED: &str = "unmatched";

/// The `method` label of methods outside [`KNOWN_METHODS`].
pub(crate) const OTHER_METHOD: &str = "OTHER";

/// Methods with a label of their own.
pub(crate) const KNOWN_METHODS: &[&str] = &["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// The table's entry for a matched template; `None` for an unmatched path.
pub(crate) fn find(template: Option<&str>) -> Option<&'static Endpoint> {
    let template = template?;
    ALL.iter().find(|endpoint| endpoint.path == template)
}

/// The table's entry for a path, by the router's rule: a parameter matches one segment that is not empty. It gives the
/// router's result before the router runs and without its regular expressions.
pub(crate) fn of_path(path: &str) -> Option<&'static Endpoint> {
    static WITH_PARAMETERS: LazyLock<Vec<&Endpoint>> =
        LazyLock::new(|| ALL.iter().filter(|endpoint| endpoint.path.contains('{')).collect());
    let plain = ALL.iter().find(|endpoint| endpoint.path == path);
    plain.or_else(|| WITH_PARAMETERS.iter().copied().find(|endpoint| fits(endpoint.path, path)))
}

fn fits(template: &str, path: &str) -> bool {
    let (mut template, mut path) = (template.split('/'), path.split('/'));
    loop {
        match (template.next(), path.next()) {
            (None, None) => return true,
            (Some(wanted), Some(found))
                if wanted == found || wanted.starts_with('{') && !found.is_empty() => {}
            _ => return false,
        }
    }
}

/// The label of a method.
pub(crate) fn method_label(method: &str) -> &'static str {
    KNOWN_METHODS.iter().copied().find(|known| *known == method).unwrap_or(OTHER_METHOD)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::dev::ResourceDef;
    use proptest::{prelude::*, sample::select};

    /// Segments of paths, including those in the table.
    fn paths() -> impl Strategy<Value = String> {
        let known = ALL.iter().flat_map(|endpoint| endpoint.path.split('/')).collect::<Vec<_>>();
        let segment = prop_oneof![select(known).prop_map(str::to_owned), "[a-z0-9%.é\n-]{0,3}"];
        prop::collection::vec(segment, 0..5).prop_map(|segments| format!("/{}", segments.join("/")))
    }

    proptest! {
        #[test]
        fn matches_paths_like_the_router(path in paths()) {
            let router = ALL.iter().find(|endpoint| ResourceDef::new(endpoint.path).is_match(&path));
            prop_assert_eq!(of_path(&path).map(|endpoint| endpoint.path), router.map(|endpoint| endpoint.path));
        }
    }

    #[test]
    fn every_template_matches_itself_first() {
        for endpoint in ALL {
            let path = endpoint.path.replace(['{', '}'], "");
            assert_eq!(of_path(&path).map(|endpoint| endpoint.path), Some(endpoint.path));
        }
    }

    #[test]
    fn allow_lists_exactly_the_methods_and_options() {
        for endpoint in ALL {
            assert_eq!(
                endpoint.allow,
                format!("{}, OPTIONS", endpoint.methods.join(", ")),
                "{}",
                endpoint.path
            );
        }
    }

    #[test]
    fn labels_are_bounded() {
        assert_eq!(method_label("PATCH"), "PATCH");
        for odd in ["get", "BREW", "CONNECT", ""] {
            assert_eq!(method_label(odd), "OTHER");
        }
        assert!(find(Some("/api/users/{id}")).is_some());
        assert!(find(Some("/api/users/7")).is_none());
        assert!(find(None).is_none());
    }
}
