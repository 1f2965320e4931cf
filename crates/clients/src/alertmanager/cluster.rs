//! The Alertmanagers that notify together, as far as their addresses are given.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use jiff::Timestamp;
use url::Url;

use crate::alertmanager::{Alertmanager, Cluster, Delivered, HeldAlert, Silence};
use crate::config::HttpConfig;
use crate::error::SystemError;
use crate::prometheus::Labels;

/// One or more Alertmanagers; clones share connections. A call returns what those say that respond, and fails when none
/// does.
#[derive(Debug, Clone)]
pub struct Alertmanagers(Vec<Alertmanager>);

impl Alertmanagers {
    /// # Errors
    /// When a URL cannot serve as a base, or a file of the configuration cannot be used.
    pub fn new(first: &Url, others: &[Url], config: &HttpConfig) -> Result<Self, SystemError> {
        let all = std::iter::once(first).chain(others).map(|url| Alertmanager::new(url, config));
        Ok(Self(all.collect::<Result<_, _>>()?))
    }

    /// The number of addresses.
    #[must_use]
    pub fn replicas(&self) -> usize {
        self.0.len()
    }

    /// Checks that all are ready.
    ///
    /// # Errors
    /// When one is not.
    pub async fn ready(&self) -> Result<(), SystemError> {
        join_all(self.0.iter().map(Alertmanager::ready)).await.into_iter().collect()
    }

    /// The start time of each.
    pub async fn started(&self) -> Vec<Result<Option<Timestamp>, SystemError>> {
        join_all(self.0.iter().map(Alertmanager::started)).await
    }

    /// See [`Alertmanager::config`]; all have the same.
    ///
    /// # Errors
    /// When none responds, or the response is not understood.
    pub async fn config(&self) -> Result<String, SystemError> {
        self.first(Alertmanager::config).await
    }

    /// See [`Alertmanager::cluster`]; it has settled when all say so.
    ///
    /// # Errors
    /// When none responds, or the response is not understood.
    pub async fn cluster(&self) -> Result<Cluster, SystemError> {
        let all = self.all(Alertmanager::cluster).await?;
        let members = all.iter().map(|it| it.members).max().unwrap_or(1);
        Ok(Cluster { members, settling: all.iter().any(|it| it.settling) })
    }

    /// See [`Alertmanager::alerts`]; each alert once.
    ///
    /// # Errors
    /// When none responds, or a response is not understood.
    pub async fn alerts(&self) -> Result<Vec<HeldAlert>, SystemError> {
        let all = self.all(Alertmanager::alerts).await?.into_iter().flatten();
        Ok(once(all, |alert| alert.fingerprint.clone()))
    }

    /// See [`Alertmanager::groups`].
    ///
    /// # Errors
    /// When none responds, or the response is not understood.
    pub async fn groups(&self) -> Result<Vec<(String, Labels, Vec<String>)>, SystemError> {
        self.first(Alertmanager::groups).await
    }

    /// See [`Alertmanager::silences`]; each silence once.
    ///
    /// # Errors
    /// When none responds, or a response is not understood.
    pub async fn silences(&self) -> Result<Vec<Silence>, SystemError> {
        let all = self.all(Alertmanager::silences).await?.into_iter().flatten();
        Ok(once(all, |silence| silence.id.clone()))
    }

    /// See [`Alertmanager::delivered`]: the sum, as any of them may send a notification.
    ///
    /// # Errors
    /// When one does not respond, since it may have sent the notification, or a response is not understood.
    pub async fn delivered(&self) -> Result<Delivered, SystemError> {
        let mut sum = Delivered::new();
        for counted in join_all(self.0.iter().map(Alertmanager::delivered)).await {
            for (sender, count) in counted? {
                *sum.entry(sender).or_default() += count;
            }
        }
        Ok(sum)
    }

    async fn first<T>(
        &self,
        call: impl AsyncFn(&Alertmanager) -> Result<T, SystemError>,
    ) -> Result<T, SystemError> {
        let mut failed = None;
        for one in &self.0 {
            match call(one).await {
                Ok(found) => return Ok(found),
                Err(error) => drop(failed.get_or_insert(error)),
            }
        }
        Err(failed.expect("there is at least one client"))
    }

    async fn all<T>(
        &self,
        call: impl AsyncFn(&Alertmanager) -> Result<T, SystemError>,
    ) -> Result<Vec<T>, SystemError> {
        let (mut found, mut failed) = (Vec::new(), None);
        for result in join_all(self.0.iter().map(|one| call(one))).await {
            match result {
                Ok(result) => found.push(result),
                Err(error) => drop(failed.get_or_insert(error)),
            }
        }
        failed.filter(|_| found.is_empty()).map_or(Ok(found), Err)
    }
}

fn once<T>(all: impl Iterator<Item = T>, key: impl Fn(&T) -> String) -> Vec<T> {
    all.map(|one| (key(&one), one)).collect::<BTreeMap<_, _>>().into_values().collect()
}
