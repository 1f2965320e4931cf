//! The writes of orders.

use super::{Currency, Moved, Order, OrderStatus};
use crate::store::{
    database::{Tx, on},
    error::StoreError,
    once::{Once, Sent, StoredResponse},
    writer::Write,
    writes::{claim, keep},
};

/// Most stored orders; beyond it the oldest are deleted.
pub(in crate::store) const MAX_ORDERS: i64 = 1_000_000;
/// Orders deleted at once: few enough not to delay others.
const TRIMMED_AT_ONCE: i64 = 1_000;

/// Creates the response to an order.
pub type OrderResponse = fn(&Order) -> StoredResponse;

/// Places an order.
pub(in crate::store) struct PlaceOrder {
    pub(in crate::store) amount: i64,
    pub(in crate::store) currency: Currency,
    /// The claim, and the function that creates the response.
    pub(in crate::store) once: Option<(Once, OrderResponse)>,
}

impl Write for PlaceOrder {
    type Done = Sent<Order>;

    async fn apply(&self, tx: &mut Tx) -> Result<Self::Done, StoreError> {
        if let Some((once, _)) = &self.once
            && let Some(verdict) = claim(tx, once).await?
        {
            return Ok(verdict);
        }
        let order = on!(tx, c => c.place_order(self.amount, self.currency))?;
        if let Some((once, response)) = &self.once {
            keep(tx, once, &response(&order)).await?;
        }
        Ok(Sent::First(order))
    }
}

/// Changes the status of an order.
pub(in crate::store) struct MoveOrder {
    pub(in crate::store) id: i64,
    pub(in crate::store) to: OrderStatus,
}

impl Write for MoveOrder {
    type Done = Moved;

    async fn apply(&self, tx: &mut Tx) -> Result<Moved, StoreError> {
        for from in self.to.reached_from() {
            if let Some(order) = on!(tx, c => c.move_order(self.id, *from, self.to))? {
                return Ok(Moved::Done(order, *from));
            }
        }
        Ok(match on!(tx, c => c.order(self.id))? {
            None => Moved::Missing,
            Some(order) if order.status == self.to => Moved::Already(order),
            Some(order) => Moved::Refused(order),
        })
    }
}

/// Deletes some of the oldest orders beyond the most that are stored.
pub(in crate::store) struct TrimOrders {
    pub(in crate::store) most: i64,
}

impl Write for TrimOrders {
    /// Whether there may be more.
    type Done = bool;

    async fn apply(&self, tx: &mut Tx) -> Result<bool, StoreError> {
        let trimmed = on!(tx, c => c.trim_orders(self.most, TRIMMED_AT_ONCE))?;
        Ok(trimmed >= TRIMMED_AT_ONCE as u64)
    }
}
