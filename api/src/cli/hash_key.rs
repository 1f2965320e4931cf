//! `api hash-key`: creates an API key and its entry for the key file.

use crate::access::hash;
use std::io::{self, Read, Write};

/// Shortest key accepted from standard input: 128 bits as hexadecimal digits. A plain SHA-256 only protects keys that
/// cannot be guessed.
const MIN_LENGTH: usize = 32;
/// Longest key, well below the limit of a header.
const MAX_LENGTH: usize = 512;

/// An error of `api hash-key`.
#[derive(Debug, thiserror::Error)]
pub enum HashKeyError {
    /// A name that is invalid in a Redis key.
    #[error("expected 1 to 64 letters, digits, -, _ or .")]
    Name,
    /// Standard input cannot be read.
    #[error("cannot read standard input as text ({0})")]
    Input(io::Error),
    /// The key is invalid in a header.
    #[error("the key on standard input cannot be sent in a header: use visible ASCII without spaces")]
    Unsendable,
    /// The key is too short or too long.
    #[error(
        "the key on standard input must have {MIN_LENGTH} to {MAX_LENGTH} characters, so that it cannot be guessed; \
         omit --stdin to generate one"
    )]
    Length,
    /// The system's random number generator failed.
    #[error("cannot get random numbers from the system")]
    Random,
    /// The lines cannot be written.
    #[error("cannot write the key: {0}")]
    Output(#[from] io::Error),
}

/// Arguments of `api hash-key`.
#[derive(Debug, clap::Args)]
pub struct HashKey {
    /// Read the key from standard input instead of generating one
    #[arg(long)]
    pub stdin: bool,

    /// Name of the key's owner: 1 to 64 letters, digits, -, _ or .
    #[arg(long, default_value = "client", value_parser = name)]
    pub name: String,

    /// Plan of the key: default, unlimited, or a policy with plan = true
    #[arg(long, value_parser = name)]
    pub plan: Option<String>,
}

impl HashKey {
    /// Writes the lines of the key file to `lines` and a generated key to `aside`, so that `>> keys.toml` does not
    /// store the key itself in the file.
    ///
    /// # Errors
    /// [`HashKeyError`] when the given key is too short to be safe or invalid in a header.
    pub fn run(
        &self,
        input: impl Read,
        mut lines: impl Write,
        mut aside: impl Write,
    ) -> Result<(), HashKeyError> {
        let key = if self.stdin { given(input)? } else { made()? };
        if !self.stdin {
            writeln!(aside, "key: {key}\nIt is not stored anywhere: give it to its owner now.\n")?;
        }
        let plan = self.plan.as_ref().map_or(String::new(), |plan| format!("plan = \"{plan}\"\n"));
        let text = format!("[[keys]]\nname = \"{}\"\nhash = \"{}\"\n{plan}", self.name, hash(&key));
        Ok(lines.write_all(text.as_bytes())?)
    }
}

fn name(text: &str) -> Result<String, HashKeyError> {
    if crate::limit::name_is_clean(text) {
        return Ok(text.to_owned());
    }
    Err(HashKeyError::Name)
}

fn given(input: impl Read) -> Result<String, HashKeyError> {
    let mut text = String::new();
    // One byte more than the longest key with its line end, to detect a longer one.
    input.take(MAX_LENGTH as u64 + 3).read_to_string(&mut text).map_err(HashKeyError::Input)?;
    let key = text.trim();
    if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(HashKeyError::Unsendable);
    }
    if !(MIN_LENGTH..=MAX_LENGTH).contains(&key.len()) {
        return Err(HashKeyError::Length);
    }
    Ok(key.to_owned())
}

/// 256 random bits from the system.
fn made() -> Result<String, HashKeyError> {
    let mut bytes = [0; 32];
    rustls::crypto::ring::default_provider()
        .secure_random
        .fill(&mut bytes)
        .map_err(|_| HashKeyError::Random)?;
    Ok(bytes.iter().fold("fd_".to_owned(), |text, byte| format!("{text}{byte:02x}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{access::KeyRing, limit::PolicySet};

    fn run(command: &HashKey, input: &str) -> Result<(String, String), HashKeyError> {
        let (mut lines, mut aside) = (Vec::new(), Vec::new());
        command.run(input.as_bytes(), &mut lines, &mut aside)?;
        Ok((String::from_utf8(lines).unwrap(), String::from_utf8(aside).unwrap()))
    }

    #[test]
    fn a_generated_key_is_accepted_with_its_lines() {
        let command = HashKey { stdin: false, name: "ci".into(), plan: Some("unlimited".into()) };
        let (lines, aside) = run(&command, "").unwrap();
        let key = aside.lines().next().unwrap().strip_prefix("key: ").unwrap();
        assert_eq!(key.len(), 3 + 64);
        assert!(!lines.contains(key));
        let ring = KeyRing::parse("k", &lines, &PolicySet::built_in()).unwrap();
        assert_eq!(ring.find(key.as_bytes(), None).unwrap().key.to_string(), "key:ci");
        assert_ne!(run(&command, "").unwrap().1, aside, "a new key each time");
    }

    #[test]
    fn hashes_a_given_key_without_showing_it() {
        let command = HashKey { stdin: true, name: "client".into(), plan: None };
        let key = "0123456789abcdef0123456789abcdef";
        let (lines, aside) = run(&command, &format!("{key}\r\n")).unwrap();
        assert_eq!(lines, format!("[[keys]]\nname = \"client\"\nhash = \"{}\"\n", hash(key)));
        assert_eq!(aside, "");
        for (input, needle) in
            [("short\n", "32 to 512"), ("", "32"), (&"x".repeat(600), "512"), ("é e", "ASCII")]
        {
            assert!(run(&command, input).unwrap_err().to_string().contains(needle), "{input}");
        }
    }
}
