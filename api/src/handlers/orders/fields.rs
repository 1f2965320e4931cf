//! The fields of orders, from a JSON body or the query.

use super::super::input::{self, fault, given};
use crate::{
    problem::{FieldError, Problem},
    store::{Currency, OrderStatus},
};
use actix_web::HttpRequest;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

/// Largest amount, in cents: a million.
const LARGEST: i64 = 100_000_000;

/// Fields of a new order.
#[derive(Deserialize, ToSchema)]
pub(super) struct NewOrder {
    /// In cents.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = i64, required = true, minimum = 1, maximum = 100_000_000, example = 1999)]
    amount: Option<Value>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Currency, required = true, example = "EUR")]
    currency: Option<Value>,
}

/// The order's next status.
#[derive(Deserialize, ToSchema)]
pub(super) struct OrderChange {
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = OrderStatus, required = true, example = "paid")]
    status: Option<Value>,
}

/// Amount and currency of a new order.
pub(super) fn new_order(req: &HttpRequest, body: &[u8]) -> Result<(i64, Currency), Problem> {
    let fields = input::fields(req, body, r#"{"amount":1999,"currency":"EUR"}"#)?;
    let NewOrder { amount, currency } = NewOrder::deserialize(fields).map_err(Problem::internal)?;
    let mut errors = Vec::new();
    let must = format!("must be an integer from 1 to {LARGEST}, the amount in cents");
    let amount = check(amount, "amount", &must, &mut errors, |value| {
        // The query has text.
        let number = value.as_i64().or_else(|| value.as_str()?.trim().parse().ok());
        number.filter(|cents| (1..=LARGEST).contains(cents))
    });
    let must = format!("must be one of {}", Currency::ALL.map(Currency::code).join(", "));
    let currency = check(currency, "currency", &must, &mut errors, |value| Currency::of(value.as_str()?));
    amount.zip(currency).ok_or_else(|| Problem::validation(errors))
}

/// The status that an order is to get.
pub(super) fn status(req: &HttpRequest, body: &[u8]) -> Result<OrderStatus, Problem> {
    let fields = input::fields(req, body, r#"{"status":"paid"}"#)?;
    let OrderChange { status } = OrderChange::deserialize(fields).map_err(Problem::internal)?;
    let mut errors = Vec::new();
    let must = format!("must be one of {}", OrderStatus::ALL.map(OrderStatus::name).join(", "));
    let status = check(status, "status", &must, &mut errors, |value| OrderStatus::of(value.as_str()?));
    status.ok_or_else(|| Problem::validation(errors))
}

/// The value of a required field; records its error, if any: what it must be.
fn check<T>(
    field: Option<Value>,
    name: &str,
    must: &str,
    errors: &mut Vec<FieldError>,
    read: impl Fn(&Value) -> Option<T>,
) -> Option<T> {
    let value = field.as_ref().and_then(read);
    if value.is_none() {
        let detail = if field.is_some() { must.to_owned() } else { format!("{name} is required") };
        errors.push(fault(&format!("#/{name}"), detail));
    }
    value
}
