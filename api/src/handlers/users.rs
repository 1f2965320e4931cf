//! The users resource.

mod etag;

use super::{
    input::{self, Query},
    once::{self, Key},
    resource::json,
};
use crate::{
    problem::{Kind, Problem},
    routes,
    state::State,
    store::{Changes, CreationResponse, Outcome, Sent, StoreError, StoredResponse, User},
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{HeaderValue, IF_MATCH, IF_NONE_MATCH, LINK, RETRY_AFTER},
    },
    web::{Bytes, Data},
};
use serde::Serialize;
use utoipa::ToSchema;

/// Default number of users on a page.
const PAGE: u32 = 100;
/// Maximum number of users on a page.
const LARGEST_PAGE: u32 = 1000;
const EMAIL_TAKEN: &str = "another user has this e-mail address";

/// A page of users, ordered by id.
#[derive(Serialize, ToSchema)]
pub(super) struct UserPage {
    users: Vec<User>,
    /// Number of users on this page.
    count: usize,
    /// Number of all users, at most a second old.
    total: i64,
}

/// GET `/api/users`: a page ordered by id, with `Link: rel="next"` if there are more. `count` is the page's length, `total`
/// the number of all users.
#[utoipa::path(
    get,
    path = "/api/users",
    tag = "users",
    operation_id = "list_users",
    summary = "Users, in pages by id",
    params(
        ("limit" = Option<u32>, Query, description = "maximum number of users on the page; default 100", minimum = 1, maximum = 1000),
        ("after" = Option<i64>, Query, description = "users with ids above this one", minimum = 0),
    ),
    responses(
        (
            status = 200,
            description = "a page",
            body = UserPage,
            headers(("Link" = String, description = "the next page, as `<…>; rel=\"next\"`; absent on the last"))
        ),
        (status = 422, description = "a parameter is invalid"),
    ),
)]
pub(super) async fn list(req: HttpRequest, state: Data<State>) -> Result<HttpResponse, Problem> {
    let query = Query::of(&req)?;
    let limit = input::number(&query, "limit", 1, LARGEST_PAGE.into())?.map_or(PAGE, |limit| limit as u32);
    let after = input::number(&query, "after", 0, i64::MAX)?.unwrap_or(0);
    // One more than the page shows whether there is a next page.
    let mut users = state.store.list(after, limit + 1).await?;
    let more = users.len() > limit as usize;
    users.truncate(limit as usize);
    let last = users.last().map(|user| user.id);
    let count = users.len();
    let total = if after == 0 && !more { count as i64 } else { count_all(&state).await?.max(count as i64) };
    let mut response = json(StatusCode::OK, &UserPage { users, count, total })?;
    if let (true, Some(last)) = (more, last) {
        let link = format!("<{}?limit={limit}&after={last}>; rel=\"next\"", routes::USERS.path);
        let link = HeaderValue::try_from(link).expect("a path and digits are valid in a header");
        response.headers_mut().insert(LINK, link);
    }
    Ok(response)
}

/// The number of all users, counted a few times a second at most.
async fn count_all(state: &State) -> Result<i64, Problem> {
    if let Some(total) = state.user_counts.last() {
        return Ok(total);
    }
    let total = state.store.count_users().await?;
    state.user_counts.keep(total);
    Ok(total)
}

/// POST `/api/users`: 201 with `Location` and `ETag`. An `Idempotency-Key` makes repeats safe.
#[utoipa::path(
    post,
    path = "/api/users",
    tag = "users",
    operation_id = "create_user",
    summary = "Creates a user",
    description = "The fields come from a JSON body, or from the query when there is no body.",
    params(
        ("name" = Option<String>, Query, description = "name, if the request has no body"),
        ("email" = Option<String>, Query, description = "e-mail address, if the request has no body"),
        ("Idempotency-Key" = Option<String>, Header, description = "a request repeated with this key within a day gets the first response again", min_length = 1, max_length = 255),
    ),
    request_body = Option<input::NewUser>,
    responses(
        (
            status = 201,
            description = "created",
            body = User,
            headers(
                ("Location" = String, description = "the path of the user"),
                ("ETag" = String, description = "the user's version"),
            )
        ),
        (status = 400, description = "the idempotency key is not valid"),
        (status = 409, description = "another user has this e-mail address, or the first request with this key is still in progress"),
        (status = 422, description = "a field is missing or invalid, or the key was used with another request"),
    ),
)]
pub(super) async fn create(
    req: HttpRequest,
    state: Data<State>,
    body: Bytes,
) -> Result<HttpResponse, Problem> {
    let key = Key::of(&req, &body)?;
    let (name, email) = input::required(input::user_fields(&req, &body)?)?;
    let held = key.map(|key| key.hold(&state.store)).transpose()?;
    let once = held.as_ref().map(|held| (held.once, created as CreationResponse));
    match state.store.create(name, email, once).await? {
        Sent::First(user) => {
            if user.is_some() {
                state.metrics.users_registered.inc();
            }
            once::respond(created(user.as_ref()))
        }
        again => once::again(again),
    }
}

/// The response to a creation; without a user, the address is already in use.
fn created(user: Option<&User>) -> StoredResponse {
    let Some(user) = user else {
        return StoredResponse { status: 409, headers: Vec::new(), body: EMAIL_TAKEN.into() };
    };
    let (_, tag) = etag::header(user);
    let headers = vec![
        ("location".to_owned(), format!("{}/{}", routes::USERS.path, user.id)),
        ("etag".to_owned(), String::from_utf8_lossy(tag.as_bytes()).into_owned()),
    ];
    let body = serde_json::to_vec(user).expect("strings and numbers always serialize");
    StoredResponse { status: 201, headers, body }
}

/// GET `/api/users/{id}`: the user, or 304 when the client's version is current.
#[utoipa::path(
    get,
    path = "/api/users/{id}",
    tag = "users",
    operation_id = "read_user",
    summary = "One user",
    params(
        ("id" = i64, Path, minimum = 1, example = 1),
        ("If-None-Match" = Option<String>, Header, description = "entity tags, or `*`"),
    ),
    responses(
        (status = 200, description = "the user", body = User, headers(("ETag" = String, description = "the user's version"))),
        (status = 304, description = "the client's version is current", headers(("ETag" = String, description = "the user's version"))),
        (status = 404, description = "no such user"),
    ),
)]
pub(super) async fn get(req: HttpRequest, state: Data<State>) -> Result<HttpResponse, Problem> {
    let user = find(&state, id(&req)?).await?;
    if etag::matches(&req, &IF_NONE_MATCH, &user, true) == Some(true) {
        return Ok(HttpResponse::NotModified().insert_header(etag::header(&user)).finish());
    }
    user_response(StatusCode::OK, &user)
}

/// PUT and PATCH `/api/users/{id}`: changes the given fields and keeps the others.
#[utoipa::path(
    method(put, patch),
    path = "/api/users/{id}",
    tag = "users",
    operation_id = "update_user",
    summary = "Changes a user",
    description = "Omitted fields keep their values, with PUT and with PATCH. The fields come from a JSON body, or \
                   from the query when there is no body.",
    params(
        ("id" = i64, Path, minimum = 1, example = 1),
        ("name" = Option<String>, Query, description = "new name, if the request has no body"),
        ("email" = Option<String>, Query, description = "new e-mail address, if the request has no body"),
        ("If-Match" = Option<String>, Header, description = "change only this version: entity tags, or `*`"),
    ),
    request_body = Option<input::UserChanges>,
    responses(
        (status = 200, description = "the user", body = User, headers(("ETag" = String, description = "the user's version"))),
        (status = 404, description = "no such user"),
        (status = 409, description = "another user has this e-mail address"),
        (status = 412, description = "the user has changed since that version"),
        (status = 422, description = "a field is invalid"),
    ),
)]
pub(super) async fn update(
    req: HttpRequest,
    state: Data<State>,
    body: Bytes,
) -> Result<HttpResponse, Problem> {
    let id = id(&req)?;
    let changes = input::user_fields(&req, &body)?;
    let expected = expected_version(&req, &state, id).await?;
    if changes == Changes::default() {
        return user_response(StatusCode::OK, &find(&state, id).await?);
    }
    user_response(StatusCode::OK, &settle(state.store.update(id, changes, expected).await?)?)
}

/// DELETE `/api/users/{id}`: 204.
#[utoipa::path(
    delete,
    path = "/api/users/{id}",
    tag = "users",
    operation_id = "delete_user",
    summary = "Deletes a user",
    params(
        ("id" = i64, Path, minimum = 1, example = 1),
        ("If-Match" = Option<String>, Header, description = "delete only this version: entity tags, or `*`"),
    ),
    responses(
        (status = 204, description = "deleted"),
        (status = 404, description = "no such user"),
        (status = 412, description = "the user has changed since that version"),
    ),
)]
pub(super) async fn delete(req: HttpRequest, state: Data<State>) -> Result<HttpResponse, Problem> {
    let id = id(&req)?;
    let expected = expected_version(&req, &state, id).await?;
    settle(state.store.delete(id, expected).await?)?;
    Ok(HttpResponse::NoContent().finish())
}

async fn find(state: &State, id: i64) -> Result<User, Problem> {
    state.store.get(id).await?.ok_or_else(no_such_user)
}

/// The version that `If-Match` requires; `None` without the header. The write checks it again, so that a change in
/// between is not lost.
async fn expected_version(req: &HttpRequest, state: &State, id: i64) -> Result<Option<i64>, Problem> {
    if !req.headers().contains_key(IF_MATCH) {
        return Ok(None);
    }
    let user = find(state, id).await?;
    match etag::matches(req, &IF_MATCH, &user, false) {
        Some(false) => Err(changed()),
        _ => Ok(Some(user.version)),
    }
}

fn user_response(status: StatusCode, user: &User) -> Result<HttpResponse, Problem> {
    let mut response = json(status, user)?;
    let (name, value) = etag::header(user);
    response.headers_mut().insert(name, value);
    Ok(response)
}

fn settle<T>(outcome: Outcome<T>) -> Result<T, Problem> {
    match outcome {
        Outcome::Done(value) => Ok(value),
        Outcome::Missing => Err(no_such_user()),
        Outcome::Changed => Err(changed()),
    }
}

fn no_such_user() -> Problem {
    Problem::new(Kind::NotFound, "no user has this id")
}

fn changed() -> Problem {
    Problem::new(Kind::PreconditionFailed, "the user has changed since you read it; read it again")
}

/// An id that is not a number names no user: 404, not a syntax error.
fn id(req: &HttpRequest) -> Result<i64, Problem> {
    req.match_info().query("id").parse().map_err(|_| no_such_user())
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::EmailTaken => Self::new(Kind::Conflict, EMAIL_TAKEN),
            StoreError::Full => Self::unavailable("too many writes are waiting; try again shortly")
                .header(RETRY_AFTER, HeaderValue::from_static("1"))
                .caused_by(error),
            StoreError::Away(_) | StoreError::Busy(_) => {
                Self::unavailable("the database is busy or unavailable; try again shortly")
                    .header(RETRY_AFTER, HeaderValue::from_static("1"))
                    .caused_by(error)
            }
            StoreError::Failed(_) => Self::internal(error),
        }
    }
}
