//! Escaping of values for the place they are inserted at.

/// Where a value is inserted, which decides how it is escaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In a path segment or a query.
    Segment,
    /// At the start of a path.
    Path,
    /// In a header value.
    Header,
    /// In a JSON string, or in place of a JSON number.
    Json,
    /// Anywhere else.
    Plain,
}

impl Place {
    /// Appends bytes, escaped for this place.
    pub fn add(self, bytes: &[u8], into: &mut Vec<u8>) {
        match self {
            Self::Plain => into.extend_from_slice(bytes),
            Self::Header => into.extend(bytes.iter().map(|&byte| match byte {
                b'\t' | b' '..=b'~' | 0x80.. => byte,
                _ => b'?',
            })),
            Self::Segment => percent_encoded(bytes, b"-._~", into),
            Self::Path => {
                // `Location` may be an absolute URL. Only its path is used, as the host is the target's.
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
