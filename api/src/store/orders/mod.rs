//! Orders as stored.

pub(super) mod statements;
pub(super) mod writes;

use sqlx::{Database, FromRow, Row};

/// How far an order is: placed, then paid, then shipped; or cancelled, as long as it is not shipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrderStatus {
    /// Waits for the payment.
    Placed,
    /// Waits for the shipment.
    Paid,
    /// Finished.
    Shipped,
    /// Finished.
    Cancelled,
}

impl OrderStatus {
    /// Every status.
    pub const ALL: [Self; 4] = [Self::Placed, Self::Paid, Self::Shipped, Self::Cancelled];

    /// Its name in the API, the database and metric labels.
    pub fn name(self) -> &'static str {
        match self {
            Self::Placed => "placed",
            Self::Paid => "paid",
            Self::Shipped => "shipped",
            Self::Cancelled => "cancelled",
        }
    }

    /// The status with this name, if any.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// The statuses from which an order can get this one.
    pub fn reached_from(self) -> &'static [Self] {
        match self {
            Self::Placed => &[],
            Self::Paid => &[Self::Placed],
            Self::Shipped => &[Self::Paid],
            Self::Cancelled => &[Self::Placed, Self::Paid],
        }
    }

    /// Whether nothing can follow.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Shipped | Self::Cancelled)
    }
}

/// A currency with cents. The list bounds the label of `revenue_total`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Currency {
    /// Swiss francs.
    Chf,
    /// Euros.
    Eur,
    /// Pounds sterling.
    Gbp,
    /// US dollars.
    Usd,
}

impl Currency {
    /// Every currency.
    pub const ALL: [Self; 4] = [Self::Chf, Self::Eur, Self::Gbp, Self::Usd];

    /// Its ISO 4217 code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Chf => "CHF",
            Self::Eur => "EUR",
            Self::Gbp => "GBP",
            Self::Usd => "USD",
        }
    }

    /// The currency with this code, if any.
    pub fn of(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|currency| currency.code() == code)
    }
}

/// An order.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct Order {
    /// Never reused.
    pub id: i64,
    /// In cents.
    pub amount: i64,
    /// Of the amount.
    pub currency: Currency,
    /// How far it is.
    pub status: OrderStatus,
    /// RFC 3339, UTC.
    pub created_at: String,
    /// RFC 3339, UTC.
    pub updated_at: String,
}

impl<'r, R: Row> FromRow<'r, R> for Order
where
    usize: sqlx::ColumnIndex<R>,
    String: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
    i64: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
    R::Database: Database,
{
    fn from_row(row: &'r R) -> sqlx::Result<Self> {
        let odd = |what: &str| sqlx::Error::Decode(format!("a stored order has an unknown {what}").into());
        Ok(Self {
            id: row.try_get(0)?,
            amount: row.try_get(1)?,
            currency: Currency::of(&row.try_get::<String, _>(2)?).ok_or_else(|| odd("currency"))?,
            status: OrderStatus::of(&row.try_get::<String, _>(3)?).ok_or_else(|| odd("status"))?,
            created_at: row.try_get(4)?,
            updated_at: row.try_get(5)?,
        })
    }
}

/// Result of giving an order another status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moved {
    /// Done; the status it had before.
    Done(Order, OrderStatus),
    /// It has that status already.
    Already(Order),
    /// Its status does not allow that one.
    Refused(Order),
    /// There is no such order.
    Missing,
}
