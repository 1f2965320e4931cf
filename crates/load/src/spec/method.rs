//! HTTP methods.

use crate::error::LoadError;

/// The supported HTTP methods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "UPPERCASE")]
pub enum Method {
    /// `GET`
    Get,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `PATCH`
    Patch,
    /// `DELETE`
    Delete,
    /// `HEAD`
    Head,
    /// `OPTIONS`
    Options,
}

impl Method {
    /// Every method, in the order error messages list them.
    pub const ALL: [Self; 7] =
        [Self::Get, Self::Post, Self::Put, Self::Patch, Self::Delete, Self::Head, Self::Options];

    /// As on the wire: `GET`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// As in load files: `get`.
    #[must_use]
    pub fn key(self) -> String {
        self.name().to_ascii_lowercase()
    }

    /// Whether a request may be retried when a kept-alive connection was closed by the server (RFC 9110, 9.2.2).
    #[must_use]
    pub fn is_idempotent(self) -> bool {
        !matches!(self, Self::Post | Self::Patch)
    }

    /// Whether a request usually carries a body, so that an empty one needs `Content-Length: 0`.
    #[must_use]
    pub fn usually_has_body(self) -> bool {
        matches!(self, Self::Post | Self::Put | Self::Patch)
    }
}

impl std::str::FromStr for Method {
    type Err = LoadError;

    fn from_str(text: &str) -> Result<Self, LoadError> {
        Self::ALL.into_iter().find(|method| method.name().eq_ignore_ascii_case(text)).ok_or_else(|| {
            LoadError::Spec(format!(
                "`{text}` is not a method: expected GET, POST, PUT, PATCH, DELETE, HEAD or OPTIONS"
            ))
        })
    }
}
