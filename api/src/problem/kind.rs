use actix_web::http::StatusCode;

macro_rules! kinds {
    (
        $($(#[$doc:meta])* $kind:ident = $label:literal, $status:ident;)*
        ; with a status:
        $($(#[$doc_of:meta])* $kind_of:ident = $label_of:literal;)*
    ) => {
        /// Every kind of error response. The set is closed, and so are the values of `error_type`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Kind {
            $($(#[$doc])* $kind,)*
            $($(#[$doc_of])* $kind_of(StatusCode),)*
        }

        impl Kind {
            /// Every value of the `error_type` label.
            pub(crate) const LABELS: &'static [&'static str] = &[$($label,)* $($label_of,)*];

            /// The `error_type` label.
            pub fn label(self) -> &'static str {
                match self {
                    $(Self::$kind => $label,)*
                    $(Self::$kind_of(_) => $label_of,)*
                }
            }

            /// The HTTP status.
            pub fn status(self) -> StatusCode {
                match self {
                    $(Self::$kind => StatusCode::$status,)*
                    $(Self::$kind_of(status) => status,)*
                }
            }
        }
    };
}

kinds! {
    /// 400: not understood.
    BadRequest = "bad_request", BAD_REQUEST;
    /// 401: the caller is not identified.
    Unauthorized = "unauthorized", UNAUTHORIZED;
    /// 403: the caller may not.
    Forbidden = "forbidden", FORBIDDEN;
    /// 404: no such route or object.
    NotFound = "not_found", NOT_FOUND;
    /// 405.
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED;
    /// 408: the client took too long to send it.
    RequestTimeout = "request_timeout", REQUEST_TIMEOUT;
    /// 409: conflicts with the current state.
    Conflict = "conflict", CONFLICT;
    /// 412: changed since the caller read it.
    PreconditionFailed = "precondition_failed", PRECONDITION_FAILED;
    /// 413.
    PayloadTooLarge = "payload_too_large", PAYLOAD_TOO_LARGE;
    /// 415.
    UnsupportedMediaType = "unsupported_media_type", UNSUPPORTED_MEDIA_TYPE;
    /// 422: understood, but invalid.
    Validation = "validation", UNPROCESSABLE_ENTITY;
    /// 429.
    RateLimited = "rate_limited", TOO_MANY_REQUESTS;
    /// 500: an error in the gateway.
    Internal = "internal", INTERNAL_SERVER_ERROR;
    /// 501: not part of this build.
    NotImplemented = "not_implemented", NOT_IMPLEMENTED;
    /// 503: a component is unavailable.
    Unavailable = "unavailable", SERVICE_UNAVAILABLE;
    /// 504: a component took too long.
    DeadlineExceeded = "deadline_exceeded", GATEWAY_TIMEOUT;
    ; with a status:
    /// Requested through `/error`.
    Requested = "requested";
    /// Another status, from the framework.
    Other = "other";
}

impl Kind {
    /// The kind of an error response that the framework created.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        let same = [
            Self::BadRequest,
            Self::Forbidden,
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

    /// The registered type URI if there is one, else `about:blank`.
    pub(crate) fn type_uri(self) -> &'static str {
        match self {
            Self::RateLimited => "https://iana.org/assignments/http-problem-types#quota-exceeded",
            _ => "about:blank",
        }
    }

    /// The detail of an error whose text from the framework is not fit to send.
    pub(crate) fn stock_detail(self) -> &'static str {
        match self {
            Self::BadRequest => "malformed request",
            Self::PayloadTooLarge => "the body is larger than this server accepts",
            Self::UnsupportedMediaType => "send the body as application/json",
            Self::Internal => "internal error; look up the request id in the log",
            _ => "the request cannot be handled",
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
