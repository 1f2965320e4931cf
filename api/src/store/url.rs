//! `DATABASE_URL` for display, without its password.

use url::Url;

/// The replacement of a password.
const MASK: &str = "***";

/// The URL with passwords masked. An invalid URL is cut after its scheme, because a password could be anywhere in it.
pub(crate) fn masked(text: &str) -> String {
    if text.starts_with("sqlite:") {
        return text.to_owned();
    }
    let Ok(mut url) = Url::parse(text) else {
        let scheme = text.split_once("://").map_or("…", |(scheme, _)| scheme);
        return format!("{scheme}://…");
    };
    if url.password().is_some() && url.set_password(Some(MASK)).is_err() {
        return format!("{}://…", url.scheme());
    }
    let secret = |name: &str| name.to_ascii_lowercase().contains("password");
    if url.query_pairs().any(|(name, _)| secret(&name)) {
        let pairs: Vec<(String, String)> = url
            .query_pairs()
            .map(|(name, value)| (name.to_string(), if secret(&name) { MASK.into() } else { value.into() }))
            .collect();
        url.query_pairs_mut().clear().extend_pairs(pairs);
    }
    url.to_string()
}

/// A library's message with the URL's password masked.
pub(super) fn without_password(text: &str, message: &str) -> String {
    let Ok(url) = Url::parse(text) else { return message.replace(text, &masked(text)) };
    let in_query =
        url.query_pairs().find(|(name, _)| name == "password").map(|(_, value)| value.into_owned());
    let secrets = [url.password().map(str::to_owned), in_query];
    secrets
        .into_iter()
        .flatten()
        .filter(|secret| !secret.is_empty())
        .fold(message.to_owned(), |message, secret| message.replace(&secret, MASK))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_passwords_anywhere() {
        for (given, shown) in [
            ("sqlite://firedrill.db", "sqlite://firedrill.db"),
            ("postgres://db.example/app", "postgres://db.example/app"),
            ("postgres://ada:s3cret@db.example:5432/app", "postgres://ada:***@db.example:5432/app"),
            (
                "postgres://ada@db/app?sslmode=prefer&password=s3cret",
                "postgres://ada@db/app?sslmode=prefer&password=***",
            ),
            ("postgres://ada:s3c@ret:port/app", "postgres://…"),
            ("mysql://root:s3cret@db/x", "mysql://root:***@db/x"),
            ("s3cret", "…://…"),
        ] {
            assert_eq!(masked(given), shown);
        }
        let message = without_password("postgres://ada:s3cret@db/app", "no pg_hba entry, password s3cret");
        assert_eq!(message, "no pg_hba entry, password ***");
    }
}
