use actix_web::http::StatusCode;

/// Every kind of error answer. The set is closed, and so are the values of `error_type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// 400: cannot be understood.
    BadRequest,
    /// 401: does not say who it is.
    Unauthorized,
    /// 404: no such route or no such thing.
    NotFound,
    /// 405.
    MethodNotAllowed,
    /// 408: the client took too long to send it.
    RequestTimeout,
    /// 409: clashes with what is there.
    Conflict,
    /// 412: changed since the caller read it.
    PreconditionFailed,
    /// 413.
    PayloadTooLarge,
    /// 415.
    UnsupportedMediaType,
    /// 422: understood, but not valid.
    Validation,
    /// 429.
    RateLimited,
    /// 500: our fault.
    Internal,
    /// 501: left out of this build.
    NotImplemented,
    /// 503: a part of us is away.
    Unavailable,
    /// 504: a part of us took too long.
    DeadlineExceeded,
    /// Asked for through `/error`.
    Requested(StatusCode),
    /// Another status, from the framework.
    Other(StatusCode),
}

impl Kind {
    /// Every value of the `error_type` label.
    pub(crate) const LABELS: &'static [&'static str] = &[
        "bad_request",
        "unauthorized",
        "not_found",
        "method_not_allowed",
        "request_timeout",
        "conflict",
        "precondition_failed",
        "payload_too_large",
        "unsupported_media_type",
        "validation",
        "rate_limited",
        "internal",
        "not_implemented",
        "unavailable",
        "deadline_exceeded",
        "requested",
        "other",
    ];

    /// The `error_type` label.
    pub fn label(self) -> &'static str {
        match self {
            Self::BadRequest => "bad_request",
            Self::Unauthorized => "unauthorized",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::RequestTimeout => "request_timeout",
            Self::Conflict => "conflict",
            Self::PreconditionFailed => "precondition_failed",
            Self::PayloadTooLarge => "payload_too_large",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::Validation => "validation",
            Self::RateLimited => "rate_limited",
            Self::Internal => "internal",
            Self::NotImplemented => "not_implemented",
            Self::Unavailable => "unavailable",
            Self::DeadlineExceeded => "deadline_exceeded",
            Self::Requested(_) => "requested",
            Self::Other(_) => "other",
        }
    }

    /// The HTTP status.
    pub fn status(self) -> StatusCode {
        match self {
            Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::Conflict => StatusCode::CONFLICT,
            Self::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
            Self::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Validation => StatusCode::UNPROCESSABLE_ENTITY,
            Self::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::NotImplemented => StatusCode::NOT_IMPLEMENTED,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
            Self::Requested(status) | Self::Other(status) => status,
        }
    }

    /// The kind of an error the framework answered by itself.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        let same = [
            Self::BadRequest,
            Self::NotFound,
            Self::MethodNotAllowed,
            Self::PayloadTooLarge,
            Self::UnsupportedMediaType,
            Self::Validation,
            Self::Internal,
            Self::Unavailable,
        ];
        same.into_iter().find(|kind| kind.status() == status).unwrap_or(Self::Other(status))
    }

    /// The type URI where one is registered; `about:blank` otherwise.
    pub(crate) fn type_uri(self) -> &'static str {
        match self {
            Self::RateLimited => "https://iana.org/assignments/http-problem-types#quota-exceeded",
            _ => "about:blank",
        }
    }

    /// What to tell a person when the framework said nothing fit to send.
    pub(crate) fn stock_detail(self) -> &'static str {
        match self {
            Self::BadRequest => "the request cannot be understood",
            Self::PayloadTooLarge => "the body is larger than this server takes",
            Self::UnsupportedMediaType => "send the body as application/json",
            Self::Internal => "something went wrong on our side; the request id finds it in the log",
            _ => "the request cannot be served",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_maps_to_a_declared_label() {
        for code in 400..600 {
            let status = StatusCode::from_u16(code).unwrap();
            let kind = Kind::of_status(status);
            assert_eq!(kind.status(), status);
            assert!(Kind::LABELS.contains(&kind.label()), "{code}");
        }
    }
}
