//! The fault API of the gateway's admin listener.

use serde_json::Value;

use crate::authorization::Access;
use crate::config::HttpConfig;
use crate::error::SystemError;
use crate::http::Http;

/// A client of an admin listener.
#[derive(Debug, Clone)]
pub struct Gateway {
    http: Http,
}

impl Gateway {
    /// # Errors
    /// When the URL cannot serve as a base, or a file of the configuration cannot be used.
    pub fn new(base: &url::Url, config: &HttpConfig) -> Result<Self, SystemError> {
        let access = Access::AdminToken(config.admin_token_file.as_deref());
        Ok(Self { http: Http::new("gateway's admin listener", base, config, access)? })
    }

    /// Checks that it is alive (`/livez`).
    ///
    /// # Errors
    /// When it does not respond with 200.
    pub async fn alive(&self) -> Result<(), SystemError> {
        self.http.get("/livez", &[], |_| Ok(())).await
    }

    /// `PUT /faults/{id}`. The fault is active when this returns.
    ///
    /// # Errors
    /// When the request fails or the fault is rejected.
    pub async fn put_fault(&self, id: &str, fault: &Value) -> Result<(), SystemError> {
        self.http.put_json(&format!("/faults/{id}"), fault).await
    }

    /// Validates a fault without activating it and returns the errors. It is sent without the required `ttl`, so that
    /// it is always rejected. Contradictions between valid fields are not found.
    ///
    /// # Errors
    /// When the request fails or the response has no list of errors.
    pub async fn against_fault(
        &self,
        id: &str,
        fault: &serde_json::Map<String, Value>,
    ) -> Result<Vec<String>, SystemError> {
        let mut without = fault.clone();
        without.remove("ttl");
        let errors = self.http.put_refused(&format!("/faults/{id}"), &Value::Object(without)).await?;
        if errors.is_empty() {
            self.lift_fault(id).await?; // a gateway that does not require `ttl` activated the fault
        }
        Ok(errors.into_iter().filter(|error| !error.starts_with("/ttl: ")).collect())
    }

    /// `DELETE /faults/{id}`. A missing fault is not an error.
    ///
    /// # Errors
    /// When the request fails.
    pub async fn lift_fault(&self, id: &str) -> Result<(), SystemError> {
        self.http.delete(&format!("/faults/{id}")).await
    }
}
