//! The gateway's fault plane, as its admin listener has it.

use serde_json::Value;

use crate::config::HttpConfig;
use crate::error::SystemError;
use crate::http::Http;

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

    /// What it has against a fault, without putting it in force: asked without its `ttl`, which every fault must have,
    /// so that none is taken. Fields that are each right and contradict one another are not found.
    ///
    /// # Errors
    /// When it does not answer, or answers without a list of what is wrong.
    pub async fn against_fault(
        &self,
        id: &str,
        fault: &serde_json::Map<String, Value>,
    ) -> Result<Vec<String>, SystemError> {
        let mut without = fault.clone();
        without.remove("ttl");
        let errors = self.http.put_refused(&format!("/faults/{id}"), &Value::Object(without)).await?;
        if errors.is_empty() {
            self.lift_fault(id).await?; // a gateway that does not demand it has put it in force
        }
        Ok(errors.into_iter().filter(|error| !error.starts_with("/ttl: ")).collect())
    }

    /// `DELETE /faults/{id}`; one that is not there is lifted already.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn lift_fault(&self, id: &str) -> Result<(), SystemError> {
        self.http.delete(&format!("/faults/{id}")).await
    }
}
