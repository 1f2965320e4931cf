//! Addresses as people give them, with user and password if need be, which no message may show.

use std::ffi::OsStr;

use clap::builder::TypedValueParser;
use clap::error::ErrorKind;
use url::Url;

/// Reads an address.
///
/// # Errors
/// What is wrong with it, without the address itself.
pub fn parse(text: &str) -> Result<Url, String> {
    Url::parse(text).map_err(|error| format!("{error}: expected an address such as http://127.0.0.1:9090"))
}

/// The address without what stands before the last `@`, which may be a password, however badly the rest is written.
#[must_use]
pub fn redacted(text: &str) -> String {
    let Some(at) = text.rfind('@') else { return text.to_owned() };
    let scheme = text[..at].find("://").map_or("", |end| &text[..end + 3]);
    format!("{scheme}…{}", &text[at..])
}

/// `text` without the passwords of these addresses, in either spelling.
#[must_use]
pub fn hushed<'a>(text: &str, addresses: impl IntoIterator<Item = &'a Url>) -> String {
    let mut text = text.to_owned();
    for written in addresses.into_iter().filter_map(Url::password).filter(|password| !password.is_empty()) {
        text = text.replace(written, "…");
        if let Ok(plain) = percent_encoding::percent_decode_str(written).decode_utf8() {
            text = text.replace(plain.as_ref(), "…");
        }
    }
    text
}

/// Reads a value of the command line that holds an address: clap's own error would repeat it in full.
#[derive(Debug, Clone, Copy)]
pub struct Discreet<T>(pub fn(&str) -> Result<T, String>);

impl<T: Clone + Send + Sync + 'static> TypedValueParser for Discreet<T> {
    type Value = T;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<T, clap::Error> {
        let text = value.to_string_lossy();
        (self.0)(&text).map_err(|reason| {
            let named = argument.map_or(String::new(), |argument| format!(" for '{argument}'"));
            let said = format!("invalid value '{}'{named}: {reason}\n", redacted(&text));
            clap::Error::raw(ErrorKind::ValueValidation, said).with_cmd(command)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_before_the_last_at_is_shown() {
        for (text, shown) in [
            ("http://127.0.0.1:9090/x", "http://127.0.0.1:9090/x"),
            ("https://me:secret@a.example/", "https://…@a.example/"),
            ("https://me:se/cr@et@a.example:x", "https://…@a.example:x"),
            ("me:secret@a.example", "…@a.example"),
        ] {
            assert_eq!(redacted(text), shown);
        }
    }

    #[test]
    fn a_password_is_hushed_in_both_spellings() {
        let addresses =
            ["https://me:a%26b@h.example", "http://h.example"].map(|text| Url::parse(text).unwrap());
        let said = "curl https://me:a%26b@h.example: 401, a&b is not it";
        assert_eq!(hushed(said, &addresses), "curl https://me:…@h.example: 401, … is not it");
    }

    #[test]
    fn a_bad_address_is_refused_without_its_password() {
        let argument = clap::Arg::new("url").long("url").value_parser(Discreet(parse));
        let command = clap::Command::new("test").arg(argument);
        let error =
            command.clone().try_get_matches_from(["test", "--url", "https://me:secret@[bad"]).unwrap_err();
        let said = error.to_string();
        assert!(
            said.contains("'https://…@[bad' for '--url <url>': ") && said.contains("expected an address"),
            "{said}"
        );
        assert!(!said.contains("secret"), "{said}");
        assert_eq!(error.exit_code(), 2);
        let good = command.try_get_matches_from(["test", "--url", "https://me:secret@a.example"]).unwrap();
        assert_eq!(good.get_one::<Url>("url").unwrap().password(), Some("secret"));
    }
}
