//! `api hash-key`: an API key and the lines of the keys file that let it in.

use crate::access::hash;
use std::io::{self, Read, Write};

/// Shortest key taken from standard input: 128 bits as hexadecimal digits. The hash is a plain SHA-256, which only
/// keys that cannot be guessed withstand.
const SHORTEST: usize = 32;
/// Longest key, well within what a header may hold.
const LONGEST: usize = 512;

/// What `api hash-key` takes.
#[derive(Debug, clap::Args)]
pub struct HashKey {
    /// Read the key from standard input instead of making one
    #[arg(long)]
    pub stdin: bool,

    /// Whose key it is: letters, digits and any of . - _ in it
    #[arg(long, default_value = "client", value_parser = name)]
    pub name: String,

    /// default, unlimited, or a policy with plan = true
    #[arg(long, value_parser = name)]
    pub plan: Option<String>,
}

impl HashKey {
    /// Writes the lines of the keys file to `lines` and a key that was made to `aside`, so that `>> keys.toml` keeps
    /// the key itself out of the file.
    ///
    /// # Errors
    /// A sentence for the person, when the key given is too short to be safe or could not be sent.
    pub fn run(&self, input: impl Read, mut lines: impl Write, mut aside: impl Write) -> Result<(), String> {
        let key = if self.stdin { given(input)? } else { made()? };
        let told = |error: io::Error| format!("cannot write: {error}");
        if !self.stdin {
            writeln!(aside, "key: {key}\nIt is not stored anywhere: hand it to its owner now.\n")
                .map_err(told)?;
        }
        let plan = self.plan.as_ref().map_or(String::new(), |plan| format!("plan = \"{plan}\"\n"));
        let text = format!("[[keys]]\nname = \"{}\"\nhash = \"{}\"\n{plan}", self.name, hash(&key));
        lines.write_all(text.as_bytes()).map_err(told)
    }
}

fn name(text: &str) -> Result<String, String> {
    if crate::limit::name_is_clean(text) {
        return Ok(text.to_owned());
    }
    Err("expected 1 to 64 letters, digits, -, _ or .".to_owned())
}

fn given(input: impl Read) -> Result<String, String> {
    let mut text = String::new();
    // One byte more than the longest with its line end, to notice a longer one.
    input
        .take(LONGEST as u64 + 3)
        .read_to_string(&mut text)
        .map_err(|error| format!("standard input cannot be read as text ({error})"))?;
    let key = text.trim();
    if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(
            "the key on standard input cannot be sent in a header; use ASCII without spaces".to_owned()
        );
    }
    if !(SHORTEST..=LONGEST).contains(&key.len()) {
        return Err(format!(
            "the key on standard input must have {SHORTEST} to {LONGEST} characters, so that it cannot be guessed; \
             leave --stdin out to have one made"
        ));
    }
    Ok(key.to_owned())
}

/// 256 bits from the system.
fn made() -> Result<String, String> {
    let mut bytes = [0; 32];
    rustls::crypto::ring::default_provider()
        .secure_random
        .fill(&mut bytes)
        .map_err(|_| "the system gives no random numbers".to_owned())?;
    Ok(bytes.iter().fold("fd_".to_owned(), |text, byte| format!("{text}{byte:02x}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{access::KeyRing, limit::PolicySet};

    fn run(command: &HashKey, input: &str) -> Result<(String, String), String> {
        let (mut lines, mut aside) = (Vec::new(), Vec::new());
        command.run(input.as_bytes(), &mut lines, &mut aside)?;
        Ok((String::from_utf8(lines).unwrap(), String::from_utf8(aside).unwrap()))
    }

    #[test]
    fn a_key_that_was_made_is_let_in_by_its_lines() {
        let command = HashKey { stdin: false, name: "ci".into(), plan: Some("unlimited".into()) };
        let (lines, aside) = run(&command, "").unwrap();
        let key = aside.lines().next().unwrap().strip_prefix("key: ").unwrap();
        assert_eq!(key.len(), 3 + 64);
        assert!(!lines.contains(key));
        let ring = KeyRing::parse("k", &lines, &PolicySet::built_in()).unwrap();
        assert_eq!(ring.find(key.as_bytes(), None).unwrap().key.to_string(), "key:ci");
        assert_ne!(run(&command, "").unwrap().1, aside, "another each time");
    }

    #[test]
    fn a_given_key_is_hashed_and_never_shown() {
        let command = HashKey { stdin: true, name: "client".into(), plan: None };
        let key = "0123456789abcdef0123456789abcdef";
        let (lines, aside) = run(&command, &format!("{key}\r\n")).unwrap();
        assert_eq!(lines, format!("[[keys]]\nname = \"client\"\nhash = \"{}\"\n", hash(key)));
        assert_eq!(aside, "");
        for (input, needle) in
            [("short\n", "32 to 512"), ("", "32"), (&"x".repeat(600), "512"), ("é e", "ASCII")]
        {
            assert!(run(&command, input).unwrap_err().contains(needle), "{input}");
        }
    }
}
