//! The answer to a request: headers that caches and browsers act on, gzip for who takes it, and what is said in words.

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use credit_log::hash::sha256;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::OwnedSemaphorePermit;

/// How long a checkpoint may be kept by a cache, in seconds: shorter than the time between two that are published twice.
const CHECKPOINT_CACHE: HeaderValue = HeaderValue::from_static("public, max-age=1");
/// What never changes may be kept for ever.
const IMMUTABLE_CACHE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// What is not there may be there in a moment.
const NO_CACHE: HeaderValue = HeaderValue::from_static("no-store");
/// The bytes that a body is sent in.
const PIECE_BYTES: usize = 64 << 10;

/// How long a file may be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cache {
    /// A second.
    Brief,
    /// It never changes.
    ForEver,
}

/// Why nothing is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// The path is the name of nothing, now or ever.
    Malformed,
    /// There is no such file under the published checkpoint.
    NotFound,
    /// Only GET and HEAD are answered.
    Method,
    /// Too many ask at once.
    Busy,
    /// The store could not be read.
    Fault,
}

impl Refused {
    pub(super) fn respond(self) -> Response<Body> {
        let (status, text) = match self {
            Self::Malformed => {
                (StatusCode::BAD_REQUEST, "not the name of a file of this log · 路径不合规范\n")
            }
            Self::NotFound => {
                (StatusCode::NOT_FOUND, "not there under the published checkpoint · 没有这个文件\n")
            }
            Self::Method => (StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD · 只接受 GET 和 HEAD\n"),
            Self::Busy => (StatusCode::SERVICE_UNAVAILABLE, "busy, come again · 繁忙，请稍后再来\n"),
            Self::Fault => (StatusCode::INTERNAL_SERVER_ERROR, "the file could not be read · 无法读取\n"),
        };
        let mut response = Response::new(Body::from(text));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        headers.insert(header::CACHE_CONTROL, NO_CACHE);
        match self {
            Self::Method => drop(headers.insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"))),
            Self::Busy => drop(headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"))),
            Self::Malformed | Self::NotFound | Self::Fault => {}
        }
        response
    }
}

/// A file that was found.
#[derive(Debug)]
pub(super) struct File {
    media_type: &'static str,
    cache: Cache,
    bytes: Vec<u8>,
    compressible: bool,
    modified: Option<SystemTime>,
    permit: Option<OwnedSemaphorePermit>,
}

impl File {
    pub(super) fn new(media_type: &'static str, cache: Cache, bytes: Vec<u8>) -> Self {
        Self { media_type, cache, bytes, compressible: false, modified: None, permit: None }
    }

    /// Says when it was published, or published again, in microseconds UTC: by it a follower tells a quiet log from a
    /// dead one.
    pub(super) fn modified(mut self, at_us: i64) -> Self {
        let since = Duration::from_micros(u64::try_from(at_us).unwrap_or(0));
        self.modified = UNIX_EPOCH.checked_add(since);
        self
    }

    /// May be sent as gzip.
    pub(super) fn compressible(mut self) -> Self {
        self.compressible = true;
        self
    }

    /// Holds a permit until the last byte is sent.
    pub(super) fn holding(mut self, permit: OwnedSemaphorePermit) -> Self {
        self.permit = Some(permit);
        self
    }

    /// The response to a request with these headers. The body of one to HEAD is left out by the connection.
    pub(super) fn respond(self, asked: &HeaderMap) -> Response<Body> {
        let Self { media_type, cache, bytes, compressible, modified, permit } = self;
        let zipped = (compressible && takes_gzip(asked)).then(|| gzip(&bytes)).flatten();
        let tag = tag(&bytes, zipped.is_some());
        let encoded = zipped.is_some();
        let bytes = zipped.unwrap_or(bytes);
        let known = asked.get_all(header::IF_NONE_MATCH).iter().any(|value| names(value, &tag));
        let mut response = Response::new(Body::empty());
        let headers = response.headers_mut();
        headers.insert(
            header::CACHE_CONTROL,
            match cache {
                Cache::Brief => CHECKPOINT_CACHE,
                Cache::ForEver => IMMUTABLE_CACHE,
            },
        );
        // Sixty-four hexadecimal digits in quotes, with or without a suffix, always form a header.
        if let Ok(tag) = HeaderValue::from_str(&tag) {
            headers.insert(header::ETAG, tag);
        }
        if let Some(at) = modified.and_then(|at| HeaderValue::from_str(&httpdate::fmt_http_date(at)).ok()) {
            headers.insert(header::LAST_MODIFIED, at);
        }
        if compressible {
            headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        }
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        if known {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return response;
        }
        if encoded {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
        *response.body_mut() = match permit {
            None => Body::from(bytes),
            Some(permit) => in_pieces(Bytes::from(bytes), permit),
        };
        response
    }
}

/// A body in pieces that keeps its permit until the last one is sent or the reader has gone.
fn in_pieces(bytes: Bytes, permit: OwnedSemaphorePermit) -> Body {
    let starts = (0..bytes.len()).step_by(PIECE_BYTES);
    let pieces = starts.map(move |start| {
        let _held = &permit;
        let end = start.saturating_add(PIECE_BYTES).min(bytes.len());
        Ok::<Bytes, std::convert::Infallible>(bytes.slice(start..end))
    });
    Body::from_stream(tokio_stream::iter(pieces))
}

/// The strong tag of the bytes in this encoding.
fn tag(bytes: &[u8], zipped: bool) -> String {
    let suffix = if zipped { "-gzip" } else { "" };
    format!("\"{}{suffix}\"", crate::hex::hex(&sha256(bytes)))
}

/// Whether an If-None-Match names a tag.
fn names(value: &HeaderValue, tag: &str) -> bool {
    let text = value.to_str().unwrap_or_default();
    text.split(',')
        .map(str::trim)
        .any(|given| given == "*" || given.strip_prefix("W/").unwrap_or(given) == tag)
}

/// Whether a request takes gzip: named with a weight that is not zero, or covered by `*`.
fn takes_gzip(asked: &HeaderMap) -> bool {
    let (mut named, mut any) = (None, None);
    for value in asked.get_all(header::ACCEPT_ENCODING) {
        for offer in value.to_str().unwrap_or_default().split(',') {
            let (coding, weight) = offer.split_once(';').unwrap_or((offer, ""));
            let taken = !is_zero(weight);
            match coding.trim().to_ascii_lowercase().as_str() {
                "gzip" | "x-gzip" => named = Some(taken),
                "*" => any = Some(taken),
                _ => {}
            }
        }
    }
    named.or(any).unwrap_or(false)
}

/// Whether a weight is `q=0`, `q=0.0` and so on.
fn is_zero(weight: &str) -> bool {
    let digits = weight.trim().strip_prefix(['q', 'Q']).and_then(|rest| rest.trim_start().strip_prefix('='));
    digits.is_some_and(|digits| {
        let digits = digits.trim();
        !digits.is_empty() && digits.bytes().all(|byte| byte == b'0' || byte == b'.')
    })
}

/// The bytes as gzip, always the same for the same bytes.
fn gzip(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    // Writing to memory does not fail; if it did, the bytes would be sent as they are.
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use tokio::sync::Semaphore;

    fn asked(name: header::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_str(value).unwrap())])
    }

    #[test]
    fn gzip_is_sent_to_who_takes_it_and_to_nobody_else() {
        for (value, want) in [
            ("gzip", true),
            ("deflate, GZIP;q=0.5", true),
            ("*", true),
            ("identity, *;q=0.1", true),
            ("", false),
            ("identity", false),
            ("br, zstd", false),
            ("gzip;q=0", false),
            ("gzip; q=0.000, *", false),
            ("*;q=0", false),
            ("gzipped", false),
        ] {
            assert_eq!(takes_gzip(&asked(header::ACCEPT_ENCODING, value)), want, "{value}");
        }
        assert!(!takes_gzip(&HeaderMap::new()));
    }

    #[test]
    fn a_tag_that_is_known_gets_no_body() {
        let file = || File::new("text/plain", Cache::ForEver, b"bytes".to_vec()).compressible();
        let plain = file().respond(&HeaderMap::new());
        let tag = plain.headers()[header::ETAG].to_str().unwrap().to_owned();
        for (value, want) in [
            (tag.clone(), 304),
            (format!("\"other\", {tag}"), 304),
            (format!("W/{tag}"), 304),
            ("*".to_owned(), 304),
            ("\"other\"".to_owned(), 200),
            (tag.replace('"', ""), 200),
        ] {
            let response = file().respond(&asked(header::IF_NONE_MATCH, &value));
            assert_eq!(response.status().as_u16(), want, "{value}");
            assert_eq!(response.headers()[header::ETAG], tag.as_str());
        }
        let zipped = file().respond(&asked(header::ACCEPT_ENCODING, "gzip"));
        assert_ne!(zipped.headers()[header::ETAG], tag.as_str(), "another encoding has another tag");
    }

    #[test]
    fn a_file_says_when_it_was_published() {
        let file = || File::new("text/plain", Cache::Brief, b"bytes".to_vec());
        assert!(!file().respond(&HeaderMap::new()).headers().contains_key(header::LAST_MODIFIED));
        let told = file().modified(1_700_000_000_999_999).respond(&HeaderMap::new());
        assert_eq!(told.headers()[header::LAST_MODIFIED], "Tue, 14 Nov 2023 22:13:20 GMT");
    }

    #[test]
    fn what_may_not_be_cached_says_so() {
        for refused in [Refused::Malformed, Refused::NotFound, Refused::Method, Refused::Busy, Refused::Fault]
        {
            let response = refused.respond();
            assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
            assert!(response.status().is_client_error() || response.status().is_server_error());
        }
    }

    #[tokio::test]
    async fn a_permit_is_held_until_the_body_has_gone() {
        let permits = Arc::new(Semaphore::new(1));
        let permit = Arc::clone(&permits).acquire_owned().await.unwrap();
        let bytes = vec![7; 3 * PIECE_BYTES + 1];
        let file = File::new("application/octet-stream", Cache::ForEver, bytes.clone()).holding(permit);
        let response = file.respond(&HeaderMap::new());
        assert_eq!(permits.available_permits(), 0);
        let read = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        assert_eq!((read.as_ref(), permits.available_permits()), (bytes.as_slice(), 1));
    }
}
