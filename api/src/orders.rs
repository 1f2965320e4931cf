//! Orders: placed, paid, shipped or cancelled, and what they are worth. The metrics are those of a business.

use crate::{
    store::{Currency, Moved, Once, Order, OrderResponse, OrderStatus, Sent, Store, StoreError},
    telemetry::metrics,
};
use prometheus::{CounterVec, IntCounterVec, IntGauge, Registry};
use std::{sync::Arc, time::Duration};
use tokio::task::AbortHandle;

/// How often the orders in progress are counted in the database.
const COUNT_EVERY: Duration = Duration::from_secs(15);
/// Cents of one unit of every currency.
const CENTS: f64 = 100.0;

metrics! {
    pub(crate) struct OrderMetrics {
        /// Orders by the status that they got.
        reached: IntCounterVec = "orders_total" ["status"];
        /// Orders that are placed or paid; every gateway on one database reports the same number.
        in_progress: IntGauge = "orders_in_progress" [];
        /// Amounts of paid orders in units of the currency; a later cancellation does not reduce it.
        revenue: CounterVec = "revenue_total" ["currency"];
    }
}

/// The orders.
pub(crate) struct Orders {
    store: Store,
    metrics: OrderMetrics,
    counting: Arc<AbortHandle>,
}

impl Orders {
    /// Starts counting the orders of a store, with the metrics in `registry`.
    ///
    /// # Errors
    /// When a metric is registered twice.
    pub(crate) fn start(store: &Store, registry: &Registry) -> prometheus::Result<Self> {
        let metrics = OrderMetrics::register(registry)?;
        // A counter that starts at 5 has no increase.
        for status in OrderStatus::ALL {
            metrics.reached.with_label_values(&[status.name()]);
        }
        for currency in Currency::ALL {
            metrics.revenue.with_label_values(&[currency.code()]);
        }
        let counting = tokio::spawn(count(store.clone(), metrics.in_progress.clone()));
        Ok(Self { store: store.clone(), metrics, counting: Arc::new(counting.abort_handle()) })
    }

    /// Places an order, at most once with a claim.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn place(
        &self,
        amount: i64,
        currency: Currency,
        once: Option<(Once, OrderResponse)>,
    ) -> Result<Sent<Order>, StoreError> {
        let placed = self.store.place_order(amount, currency, once).await?;
        if let Sent::First(order) = &placed {
            self.count(order);
            self.metrics.in_progress.inc();
        }
        Ok(placed)
    }

    /// One order.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn get(&self, id: i64) -> Result<Option<Order>, StoreError> {
        self.store.order(id).await
    }

    /// Changes the status of an order.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn move_to(&self, id: i64, to: OrderStatus) -> Result<Moved, StoreError> {
        let moved = self.store.move_order(id, to).await?;
        if let Moved::Done(order, _) = &moved {
            self.count(order);
            if to.is_final() {
                self.metrics.in_progress.dec();
            }
            if to == OrderStatus::Paid {
                let revenue = self.metrics.revenue.with_label_values(&[order.currency.code()]);
                revenue.inc_by(order.amount as f64 / CENTS);
            }
        }
        Ok(moved)
    }

    /// Ends the counting.
    pub(crate) fn close(&self) {
        self.counting.abort();
    }

    fn count(&self, order: &Order) {
        self.metrics.reached.with_label_values(&[order.status.name()]).inc();
    }
}

/// Sets the gauge from the database, which other gateways may write to as well.
async fn count(store: Store, gauge: IntGauge) {
    loop {
        match store.orders_in_progress().await {
            Ok(number) => gauge.set(number),
            Err(error) => tracing::debug!(%error, "counting the orders in progress failed, retrying"),
        }
        tokio::time::sleep(COUNT_EVERY).await;
    }
}
