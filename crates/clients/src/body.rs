//! The body of a response, read up to a limit: a server of another kind, or a broken one, may send any amount.

use http_body_util::BodyExt;
use hyper::body::{Body, Bytes, Incoming};

use crate::error::Reason;
use crate::reason;

/// Maximum size of a response body in bytes. The largest are lists of targets, with some kilobytes for each.
const BODY_LIMIT: usize = 32 * 1024 * 1024;
/// Maximum number of JSON values in a body. `[],` has three bytes and takes some forty when parsed, so that a limit of the size
/// alone would not bound memory.
const VALUE_LIMIT: usize = 4 * 1024 * 1024;

/// Reads a body as text, up to [`BODY_LIMIT`] and [`VALUE_LIMIT`].
pub async fn read(body: Incoming) -> Result<String, Reason> {
    within(body, (BODY_LIMIT, VALUE_LIMIT)).await
}

async fn within<B>(mut body: B, (bytes, values): (usize, usize)) -> Result<String, Reason>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: std::error::Error + 'static,
{
    if body.size_hint().lower() > bytes as u64 {
        return Err(Reason::TooLarge(bytes));
    }
    let (mut text, mut seen) = (Vec::new(), 0);
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|error| reason::of(&error))?.into_data() else { continue };
        if text.len() + data.len() > bytes {
            return Err(Reason::TooLarge(bytes));
        }
        // Every value but the first has one of these before it. Those in strings are counted too, which does no harm.
        seen += data.iter().filter(|byte| matches!(byte, b',' | b':' | b'[' | b'{')).count();
        if seen > values {
            return Err(Reason::TooManyValues(values));
        }
        text.extend_from_slice(&data);
    }
    Ok(String::from_utf8(text).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

#[cfg(test)]
mod tests {
    use http_body_util::Full;

    use super::*;

    /// A body that never ends, of this part again and again. The number counts the parts that were read.
    struct Endless(&'static str, usize);

    impl Body for Endless {
        type Data = Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, Self::Error>>> {
            self.1 += 1;
            std::task::Poll::Ready(Some(Ok(hyper::body::Frame::data(Bytes::from_static(self.0.as_bytes())))))
        }
    }

    #[tokio::test]
    async fn stops_reading_at_the_limits() {
        let mut body = Endless("12345678", 0);
        let error = within(&mut body, (100, 100)).await.unwrap_err();
        assert!(matches!(error, Reason::TooLarge(100)) && body.1 == 13, "{error} after {}", body.1);
        let mut body = Endless("[],[],", 0);
        let error = within(&mut body, (1_000, 100)).await.unwrap_err();
        assert!(matches!(error, Reason::TooManyValues(100)) && body.1 == 26, "{error} after {}", body.1);
        let whole = Full::new(Bytes::from_static("[1,\"ä\"]".as_bytes()));
        assert_eq!(within(whole.clone(), (8, 2)).await.unwrap(), "[1,\"ä\"]");
        assert!(matches!(within(whole.clone(), (7, 2)).await, Err(Reason::TooLarge(7))));
        assert!(matches!(within(whole, (8, 1)).await, Err(Reason::TooManyValues(1))));
    }
}
