//! Entity tags: a user's id and version. They are strong, because the same version always has the same bytes.

use crate::store::User;
use actix_web::{
    HttpRequest,
    http::header::{ETAG, HeaderName, HeaderValue},
};

/// The `ETag` header of a user.
pub(super) fn header(user: &User) -> (HeaderName, HeaderValue) {
    let value = HeaderValue::try_from(tag(user)).expect("quotes and digits are valid in a header");
    (ETAG, value)
}

fn tag(user: &User) -> String {
    format!("\"{}-{}\"", user.id, user.version)
}

/// Whether a list in the named header (`If-Match`, `If-None-Match`) includes the user's current version; `None` without
/// the header. `If-None-Match` compares weakly, so `W/` is ignored there.
pub(super) fn matches(req: &HttpRequest, name: &HeaderName, user: &User, weak: bool) -> Option<bool> {
    let mut lists = req.headers().get_all(name).peekable();
    lists.peek()?;
    let tag = tag(user);
    Some(lists.filter_map(|list| list.to_str().ok()).any(|list| listed(list, &tag, weak)))
}

fn listed(list: &str, tag: &str, weak: bool) -> bool {
    list.split(',').map(str::trim).any(|entry| {
        let entry = if weak { entry.strip_prefix("W/").unwrap_or(entry) } else { entry };
        entry == "*" || entry == tag
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_a_tag_in_a_list() {
        for (list, weak, found) in [
            ("\"1-1\"", false, true),
            ("\"0-1\", \"1-1\"", false, true),
            ("*", false, true),
            ("W/\"1-1\"", true, true),
            ("W/\"1-1\"", false, false),
            ("\"1-2\"", false, false),
            ("1-1", false, false),
            ("", false, false),
        ] {
            assert_eq!(listed(list, "\"1-1\"", weak), found, "{list}");
        }
    }
}
