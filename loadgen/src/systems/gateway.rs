//! The gateway's fault plane, as its admin listener has it.

use serde_json::Value;

use super::http::Http;
use super::{HttpConfig, SystemError};

/// A client of one admin listener.
#[derive(Debug, Clone)]
pub struct Gateway {
    http: Http,
}

impl Gateway {
    /// # Errors
    /// When the URL cannot serve as a base, or a file of the configuration cannot be used.
    pub fn new(base: &url::Url, config: &HttpConfig) -> Result<Self, SystemError> {
        Ok(Self { http: Http::new("gateway's admin listener", base, &config.trust, None)? })
    }

    /// Whether it answers (`/livez`).
    ///
    /// # Errors
    /// When it does not.
    pub async fn alive(&self) -> Result<(), SystemError> {
        self.http.get("/livez", &[], |_| Ok(())).await
    }

    /// `PUT /faults/{id}`: in force when this comes back.
    ///
    /// # Errors
    /// When it does not answer, or what it has against the fault.
    pub async fn put_fault(&self, id: &str, fault: &Value) -> Result<(), SystemError> {
        self.http.put_json(&format!("/faults/{id}"), fault).await
    }

    /// `DELETE /faults/{id}`; one that is not there is lifted already.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn lift_fault(&self, id: &str) -> Result<(), SystemError> {
        self.http.delete(&format!("/faults/{id}")).await
    }
}
