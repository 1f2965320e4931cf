//! The orders resource.

mod fields;

use super::{
    once::{self, Key},
    resource::json,
};
use crate::{
    problem::{Kind, Problem},
    routes,
    state::State,
    store::{Moved, Order, OrderResponse, OrderStatus, Sent, StoredResponse},
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Bytes, Data},
};

/// POST `/api/orders`: 201 with `Location`. An `Idempotency-Key` makes repeats safe.
#[utoipa::path(
    post,
    path = "/api/orders",
    tag = "orders",
    operation_id = "place_order",
    summary = "Places an order",
    description = "The fields come from a JSON body, or from the query when there is no body.",
    params(
        ("amount" = Option<i64>, Query, description = "amount in cents, if the request has no body", minimum = 1, maximum = 100_000_000),
        ("currency" = Option<String>, Query, description = "CHF, EUR, GBP or USD, if the request has no body"),
        ("Idempotency-Key" = Option<String>, Header, description = "a request repeated with this key within a day gets the first response again", min_length = 1, max_length = 255),
    ),
    request_body = Option<fields::NewOrder>,
    responses(
        (
            status = 201,
            description = "placed",
            body = Order,
            headers(("Location" = String, description = "the path of the order"))
        ),
        (status = 400, description = "the idempotency key is not valid"),
        (status = 409, description = "the first request with this key is still in progress"),
        (status = 422, description = "a field is missing or invalid, or the key was used with another request"),
    ),
)]
pub(super) async fn place(
    req: HttpRequest,
    state: Data<State>,
    body: Bytes,
) -> Result<HttpResponse, Problem> {
    let key = Key::of(&req, &body)?;
    let (amount, currency) = fields::new_order(&req, &body)?;
    let held = key.map(|key| key.hold(&state.store)).transpose()?;
    let once = held.as_ref().map(|held| (held.once, placed as OrderResponse));
    match state.orders.place(amount, currency, once).await? {
        Sent::First(order) => once::respond(placed(&order)),
        again => once::again(again),
    }
}

fn placed(order: &Order) -> StoredResponse {
    let headers = vec![("location".to_owned(), format!("{}/{}", routes::ORDERS.path, order.id))];
    let body = serde_json::to_vec(order).expect("strings and numbers always serialize");
    StoredResponse { status: 201, headers, body }
}

/// GET `/api/orders/{id}`: the order.
#[utoipa::path(
    get,
    path = "/api/orders/{id}",
    tag = "orders",
    operation_id = "read_order",
    summary = "One order",
    params(("id" = i64, Path, minimum = 1, example = 1)),
    responses(
        (status = 200, description = "the order", body = Order),
        (status = 404, description = "no such order"),
    ),
)]
pub(super) async fn get(req: HttpRequest, state: Data<State>) -> Result<HttpResponse, Problem> {
    json(StatusCode::OK, &state.orders.get(id(&req)?).await?.ok_or_else(no_such_order)?)
}

/// PATCH `/api/orders/{id}`: gives the order another status.
#[utoipa::path(
    patch,
    path = "/api/orders/{id}",
    tag = "orders",
    operation_id = "move_order",
    summary = "Changes the status of an order",
    description = "A placed order can be paid, a paid one shipped; both can be cancelled. An order that already has the status is not changed. The status comes from a JSON body, or from the query when there is no body.",
    params(
        ("id" = i64, Path, minimum = 1, example = 1),
        ("status" = Option<String>, Query, description = "paid, shipped or cancelled, if the request has no body"),
    ),
    request_body = Option<fields::OrderChange>,
    responses(
        (status = 200, description = "the order", body = Order),
        (status = 404, description = "no such order"),
        (status = 409, description = "the current status of the order does not allow the new one"),
        (status = 422, description = "the status is missing or invalid"),
    ),
)]
pub(super) async fn change(
    req: HttpRequest,
    state: Data<State>,
    body: Bytes,
) -> Result<HttpResponse, Problem> {
    let id = id(&req)?;
    let to = fields::status(&req, &body)?;
    match state.orders.move_to(id, to).await? {
        Moved::Done(order, _) | Moved::Already(order) => json(StatusCode::OK, &order),
        Moved::Refused(order) => Err(Problem::new(Kind::Conflict, refusal(&order, to))),
        Moved::Missing => Err(no_such_order()),
    }
}

fn refusal(order: &Order, to: OrderStatus) -> String {
    let from: Vec<&str> = to.reached_from().iter().map(|status| status.name()).collect();
    let (is, to) = (order.status.name(), to.name());
    if from.is_empty() {
        format!("the order is {is} and cannot be {to} again")
    } else {
        format!("the order is {is}; only an order that is {} can be {to}", from.join(" or "))
    }
}

fn no_such_order() -> Problem {
    Problem::new(Kind::NotFound, "no order has this id")
}

/// An id that is not a number names no order.
fn id(req: &HttpRequest) -> Result<i64, Problem> {
    req.match_info().query("id").parse().map_err(|_| no_such_order())
}
