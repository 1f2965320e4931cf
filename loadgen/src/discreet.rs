//! Parser for arguments that contain an address. Unlike clap's own errors, its errors do not show passwords.

use std::ffi::OsStr;
use std::fmt::Display;

use clap::builder::TypedValueParser;
use clap::error::ErrorKind;

/// Parses an argument. Its error shows the value as the second function returns it, such as without user and password.
#[derive(Debug)]
pub struct Discreet<T, E>(pub fn(&str) -> Result<T, E>, pub fn(&str) -> String);

impl<T, E> Clone for Discreet<T, E> {
    fn clone(&self) -> Self {
        Self(self.0, self.1)
    }
}

impl<T: Clone + Send + Sync + 'static, E: Display + 'static> TypedValueParser for Discreet<T, E> {
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
            let message = format!("invalid value '{}'{named}: {reason}\n", (self.1)(&text));
            clap::Error::raw(ErrorKind::ValueValidation, message).with_cmd(command)
        })
    }
}

#[cfg(test)]
mod tests {
    use url::Url;

    use clients::address::{parse, redacted};

    use super::*;

    #[test]
    fn error_does_not_show_the_password() {
        let argument = clap::Arg::new("url").long("url").value_parser(Discreet(parse, redacted));
        let command = clap::Command::new("test").arg(argument);
        let error =
            command.clone().try_get_matches_from(["test", "--url", "https://me:secret@[bad"]).unwrap_err();
        let message = error.to_string();
        assert!(
            message.contains("'https://…@[bad' for '--url <url>': ") && message.contains("expected a URL"),
            "{message}"
        );
        assert!(!message.contains("secret"), "{message}");
        assert_eq!(error.exit_code(), 2);
        let good = command.try_get_matches_from(["test", "--url", "https://me:secret@a.example"]).unwrap();
        assert_eq!(good.get_one::<Url>("url").unwrap().password(), Some("secret"));
    }
}
