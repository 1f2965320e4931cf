//! One server: what it is and where its API is, found out when it is first asked.

use std::sync::Arc;

use tokio::sync::OnceCell;
use url::Url;

use crate::backend::family::Family;
use crate::backend::flags::Flags;
use crate::config::HttpConfig;
use crate::error::{Reason, SystemError};
use crate::prometheus::Prometheus;

/// A server; clones share what was found out.
#[derive(Debug, Clone)]
pub struct Server {
    base: Prometheus,
    path: String,
    /// The family that the user states.
    stated: Option<Family>,
    known: Arc<OnceCell<Known>>,
}

/// What is known of a server that has responded.
#[derive(Debug)]
pub struct Known {
    /// Its family.
    pub family: Family,
    /// Its API.
    pub api: Prometheus,
    /// The flags of VictoriaMetrics or vmalert, if they can be read.
    pub flags: Option<Flags>,
}

impl Server {
    pub fn new(url: &Url, stated: Option<Family>, config: &HttpConfig) -> Result<Self, SystemError> {
        let base = Prometheus::new(url, config)?;
        Ok(Self { base, path: url.path().to_owned(), stated, known: Arc::default() })
    }

    /// Whether it is the same server.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.known, &other.known)
    }

    /// Its own start time, from its `/metrics`.
    pub fn process(&self) -> &Prometheus {
        &self.base
    }

    /// What it is.
    ///
    /// # Errors
    /// It does not respond, or it is none of the families.
    pub async fn known(&self) -> Result<&Known, SystemError> {
        self.known.get_or_try_init(|| self.find_out()).await
    }

    async fn find_out(&self) -> Result<Known, SystemError> {
        let (family, path) = match self.stated {
            Some(family) => (family, self.path_of(family).await?),
            None => self.detect().await?,
        };
        let flags = match family {
            Family::VictoriaMetrics => self.base.metrics().await.ok().as_deref().and_then(Flags::parse),
            _ => None,
        };
        let name = match &flags {
            Some(flags) if flags.are_vmalert() => "vmalert",
            _ => family.product(),
        };
        Ok(Known { family, api: self.base.below(path, name), flags })
    }

    /// Where the API of a stated family is.
    async fn path_of(&self, family: Family) -> Result<&'static str, SystemError> {
        let paths = family.paths(&self.path);
        let mut first = None;
        for path in paths {
            match self.base.below(path, family.product()).build().await {
                Ok(_) => return Ok(path),
                Err(error) if absent(&error) => drop(first.get_or_insert(path)),
                Err(error) => return Err(error),
            }
        }
        Ok(paths[0])
    }

    async fn detect(&self) -> Result<(Family, &'static str), SystemError> {
        let mut refused = None;
        for path in ["", "/prometheus"] {
            match self.base.below(path, "Prometheus").build().await {
                Ok(build) => match Family::of(&build) {
                    Some(family) => return Ok((family, path)),
                    None => continue,
                },
                Err(error) if absent(&error) => drop(refused.get_or_insert(error)),
                Err(error) => return Err(error),
            }
        }
        if self.base.metrics().await.is_ok_and(|text| text.contains("vm_app_version{")) {
            return Ok((Family::VictoriaMetrics, ""));
        }
        if self.base.text("/api/health").await.is_ok_and(|text| text.contains("\"database\"")) {
            return Ok((Family::Grafana, Family::Grafana.paths("")[0]));
        }
        let why = refused.map_or_else(String::new, |error| format!(" ({})", error.reason));
        Err(self.base.error(Reason::Setting(format!(
            "cannot tell the kind of the server{why}: check the address, or set --backend to one of {}",
            Family::NAMES
        ))))
    }
}

/// Whether a server responded, but not with this part of the API. Others than 404 are what vmalert and proxies respond then.
fn absent(error: &SystemError) -> bool {
    let unknown = |text: &String| {
        ["400", "404", "405"].iter().any(|status| text.starts_with(&format!("responded {status}")))
    };
    match &error.reason {
        Reason::Refused(text) => unknown(text),
        Reason::Json(_) => true,
        _ => false,
    }
}
