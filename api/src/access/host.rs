//! The name that a client addresses the gateway by, and whether a web page of another name sends the request.

use actix_web::{
    dev::RequestHead,
    http::{
        Version,
        header::{HOST, HeaderName, HeaderValue, ORIGIN},
        uri::Authority,
    },
};

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Whether a request names its host as RFC 9112, 3.2 demands: once in HTTP/1.1, and as `host` or `host:port`.
pub(crate) fn is_well_named(head: &RequestHead) -> bool {
    let mut hosts = head.headers.get_all(HOST);
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.is_empty() || authority(host.as_bytes()).is_some(),
        (None, _) => head.version != Version::HTTP_11,
        (Some(_), Some(_)) => false,
    }
}

/// Whether a browser says that a page of another origin sends the request. Programs send neither header.
pub(super) fn is_from_elsewhere(head: &RequestHead) -> bool {
    if let Some(origin) = head.headers.get(ORIGIN) {
        let own = head.headers.get(HOST).map(HeaderValue::as_bytes);
        let own = own.or_else(|| head.uri.authority().map(|authority| authority.as_str().as_bytes()));
        // A proxy may speak TLS for the gateway, so that the scheme is not compared.
        let page = origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, page)| page);
        return page.is_none() || page.map(str::as_bytes) != own;
    }
    head.headers.get(FETCH_SITE).is_some_and(|site| site == "cross-site")
}

fn authority(text: &[u8]) -> Option<Authority> {
    let authority = Authority::try_from(text).ok()?;
    let port = authority.as_str().strip_prefix(authority.host())?;
    let port = port.strip_prefix(':').unwrap_or(port);
    port.bytes().all(|byte| byte.is_ascii_digit()).then_some(authority)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn head(headers: &[(&str, &str)]) -> actix_web::dev::ServiceRequest {
        headers
            .iter()
            .fold(TestRequest::get(), |request, header| request.append_header(*header))
            .to_srv_request()
    }

    #[test]
    fn a_host_is_a_name_or_address_with_a_port() {
        for (host, fine) in [
            ("a", true),
            ("a.example:8000", true),
            ("127.0.0.1:8000", true),
            ("[::1]:8000", true),
            ("[::1]", true),
            ("", true),
            ("a b", false),
            ("a/b", false),
            ("user@a", false),
            ("a:b", false),
            ("a:1:2", false),
            ("[::1", false),
            ("http://a", false),
        ] {
            assert_eq!(is_well_named(head(&[("host", host)]).head()), fine, "{host}");
        }
        assert!(!is_well_named(head(&[("host", "a"), ("host", "a")]).head()));
        assert!(!is_well_named(head(&[]).head()), "HTTP/1.1 demands one");
    }

    #[test]
    fn a_page_of_another_origin_is_recognized() {
        for (headers, elsewhere) in [
            (&[("host", "a:1")][..], false),
            (&[("host", "a:1"), ("origin", "https://a:1")], false),
            (&[("host", "a:1"), ("origin", "http://a")], true),
            (&[("host", "a:1"), ("origin", "null")], true),
            (&[("host", "a:1"), ("origin", "http://evil.example")], true),
            (&[("host", "a:1"), ("sec-fetch-site", "cross-site")], true),
            (&[("host", "a:1"), ("sec-fetch-site", "same-origin")], false),
        ] {
            assert_eq!(is_from_elsewhere(head(headers).head()), elsewhere, "{headers:?}");
        }
    }
}
