//! Where a value comes to stand, and how it is kept inside of there.

/// Where a value comes to stand, and so what must not be in it as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Between slashes of a path, or in a query.
    Segment,
    /// The beginning of a path, or all of it.
    Path,
    /// A header's value.
    Header,
    /// Inside of a JSON string, or where a JSON number is.
    Json,
    /// Anywhere else.
    Plain,
}

impl Place {
    /// Adds bytes so that they stay inside of the place.
    pub fn add(self, bytes: &[u8], into: &mut Vec<u8>) {
        match self {
            Self::Plain => into.extend_from_slice(bytes),
            Self::Header => into.extend(bytes.iter().map(|&byte| match byte {
                b'\t' | b' '..=b'~' | 0x80.. => byte,
                _ => b'?',
            })),
            Self::Segment => percent_encoded(bytes, b"-._~", into),
            Self::Path => {
                // A `Location` may be a whole URL: host and port are the target's.
                let text = String::from_utf8_lossy(bytes);
                let path = match text.split_once("://") {
                    Some((_, behind)) => behind.find('/').map_or("", |slash| &behind[slash..]),
                    None => &text,
                };
                if !path.starts_with('/') {
                    into.push(b'/');
                }
                percent_encoded(path.as_bytes(), b"-._~/?&=%:@!$'()*+,;", into);
            }
            Self::Json => {
                let text = serde_json::Value::String(String::from_utf8_lossy(bytes).into_owned()).to_string();
                into.extend_from_slice(&text.as_bytes()[1..text.len() - 1]);
            }
        }
    }
}

fn percent_encoded(bytes: &[u8], kept: &[u8], into: &mut Vec<u8>) {
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || kept.contains(&byte) {
            into.push(byte);
        } else {
            into.extend_from_slice(format!("%{byte:02X}").as_bytes());
        }
    }
}
