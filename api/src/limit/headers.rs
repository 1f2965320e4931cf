//! The headers for clients: `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers) and the older
//! `X-RateLimit-*`.
//!
//! `q` is the burst and `w` the seconds until an emptied quota is full again, so `r` never exceeds `q` and q/w is the
//! policy's rate. The older headers describe the policy that is closest to its limit.

use super::{policy::definition::Policy, quota::Verdict};
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const STATE: HeaderName = HeaderName::from_static("ratelimit");
const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

/// Whole seconds, rounded up.
fn seconds(microseconds: u64) -> u64 {
    microseconds.div_ceil(1_000_000)
}

/// `Retry-After` of a refusal: rounded up and at least 1, so that a client that waits this long is admitted.
pub(crate) fn retry_after<'a>(reported: impl Iterator<Item = (&'a Policy, &'a Verdict)>) -> u64 {
    reported.map(|(_, verdict)| seconds(verdict.retry_us)).max().unwrap_or(0).max(1)
}

/// Appends an item of a structured list (RFC 9651): `"name";q=200;w=2`. It avoids `write!` because it runs for every
/// request.
fn item(list: &mut String, name: &str, parameters: [(&str, u64); 2]) {
    if !list.is_empty() {
        list.push_str(", ");
    }
    list.push('"');
    list.push_str(name);
    list.push('"');
    for (key, value) in parameters {
        list.push_str(key);
        list.push_str(itoa::Buffer::new().format(value));
    }
}

/// Adds the headers of a decision.
pub(crate) fn insert<'a>(
    headers: &mut HeaderMap,
    reported: impl Iterator<Item = (&'a Policy, &'a Verdict)> + Clone,
) {
    let nearest = reported.clone().min_by_key(|(_, verdict)| (verdict.admitted, verdict.remaining));
    let Some((tightest, nearest)) = nearest else {
        return;
    };
    let (mut policies, mut states) = (String::with_capacity(48), String::with_capacity(48));
    for (policy, verdict) in reported {
        let (name, quota) = (&policy.name, &policy.quota);
        item(&mut policies, name, [(";q=", quota.burst()), (";w=", quota.window_seconds())]);
        item(&mut states, name, [(";r=", verdict.remaining), (";t=", seconds(verdict.reset_us))]);
    }
    let text = |text: String| HeaderValue::try_from(text).expect("policy names are valid in a header");
    headers.insert(POLICY, text(policies));
    headers.insert(STATE, text(states));
    headers.insert(LIMIT, tightest.quota.burst().into());
    headers.insert(REMAINING, nearest.remaining.into());
    headers.insert(RESET, seconds(nearest.reset_us).into());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limit::PolicySet;

    #[test]
    fn headers_list_every_policy_and_the_one_closest_to_its_limit() {
        let text =
            "[[policy]]\nname='a'\nlimit='100/s'\nburst=200\n[[policy]]\nname='b'\nlimit='1/m'\nburst=3\n";
        let set = PolicySet::parse("x", text).unwrap();
        let [a, b] = set.policies() else { panic!("two policies") };
        let verdicts =
            [a.quota.verdict(15_000_000, 1, true), b.quota.verdict(b.quota.capacity() - 1, 1, false)];
        let reported = [a, b].into_iter().zip(&verdicts);
        let mut headers = HeaderMap::new();
        insert(&mut headers, reported.clone());
        let get = |name: &str| headers.get(name).unwrap().to_str().unwrap();
        assert_eq!(get("RateLimit-Policy"), r#""a";q=200;w=2, "b";q=3;w=180"#);
        assert_eq!(get("RateLimit"), r#""a";r=185;t=1, "b";r=0;t=180"#);
        assert_eq!(
            (get("X-RateLimit-Limit"), get("X-RateLimit-Remaining"), get("X-RateLimit-Reset")),
            ("3", "0", "180")
        );
        assert_eq!(retry_after(reported), 60);
    }

    #[test]
    fn retry_after_is_never_zero() {
        let set = PolicySet::built_in();
        let default = &set.policies()[0];
        let nearly = default.quota.capacity() - default.quota.period_us() + 1;
        let refused = default.quota.verdict(nearly, 1, false);
        assert_eq!(refused.retry_us, 1);
        assert_eq!(retry_after([(default, &refused)].into_iter()), 1);
    }
}
