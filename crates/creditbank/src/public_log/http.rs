//! A public log over HTTP.

use super::{LogSource, SourceError};
use credit_log::note::NOTE_BYTES_MAX;
use credit_log::tile::{ENTRY_BYTES_MAX, TILE_WIDTH, TileKind, TilePath};
use std::io::Read as _;
use std::time::Duration;
use ureq::Agent;

/// How long a connection may take to be made.
const CONNECT_TIME: Duration = Duration::from_secs(10);
/// How long one file may take.
const FILE_TIME: Duration = Duration::from_secs(60);
/// How often a file is asked for again where the network or the server failed, at most.
pub(crate) const FILE_TRIES_MAX: u32 = 3;
/// How long to wait before that.
const TRY_PAUSE: Duration = Duration::from_millis(500);
/// The most redirections that are followed.
pub(crate) const REDIRECTS_MAX: u32 = 3;
/// The most bytes of a date that is kept: that of HTTP has 29.
pub(crate) const DATE_BYTES_MAX: usize = 64;
/// The most bytes of a full tile: 256 hashes.
const TILE_BYTES: u64 = 8_192;
/// The most bytes of a full bundle.
const BUNDLE_BYTES: u64 = TILE_WIDTH as u64 * (ENTRY_BYTES_MAX as u64 + 2);

/// The bytes of a file, and the date that its server gives it.
type Dated = (Vec<u8>, Option<String>);

/// A server of a public log.
pub(crate) struct HttpLog {
    agent: Agent,
    base: String,
}

/// What a server said instead of giving a file.
#[derive(Debug, thiserror::Error)]
enum HttpError {
    #[error("the server answers with status {0}")]
    Status(u16),
    #[error("the request failed")]
    Transport(#[source] ureq::Error),
    #[error("the answer breaks off")]
    Cut(#[source] std::io::Error),
    #[error("the answer is longer than {0} bytes")]
    TooLong(u64),
    #[error("the answer is not text")]
    NotText,
}

impl HttpError {
    /// Whether the same may go well a moment later.
    fn may_pass(&self) -> bool {
        match self {
            Self::Status(status) => *status == 429 || *status >= 500,
            Self::Transport(error) => !matches!(error, ureq::Error::BadUri(_) | ureq::Error::Tls(_)),
            Self::Cut(_) => true,
            Self::TooLong(_) | Self::NotText => false,
        }
    }
}

impl HttpLog {
    /// The log below an address such as `http://log.example.cn` or `https://example.cn/ledger`.
    pub(crate) fn new(url: &str) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(CONNECT_TIME))
            .timeout_global(Some(FILE_TIME))
            .max_redirects(REDIRECTS_MAX)
            .user_agent(concat!("creditbank/", env!("CARGO_PKG_VERSION")))
            .build();
        Self { agent: Agent::new_with_config(config), base: url.trim_end_matches('/').to_owned() }
    }

    /// The signed checkpoint, and when the server says that it was published last, as it says it. Nobody signs that.
    pub(crate) fn dated_checkpoint(&self) -> Result<(String, Option<String>), SourceError> {
        let url = format!("{}/checkpoint", self.base);
        let found = self.dated("checkpoint", u64::try_from(NOTE_BYTES_MAX).unwrap_or(u64::MAX))?;
        let (bytes, date) = found.ok_or_else(|| SourceError::new(&url, HttpError::Status(404)))?;
        Ok((String::from_utf8(bytes).map_err(|_| SourceError::new(&url, HttpError::NotText))?, date))
    }

    /// A file of at most so many bytes; `None` where there is none.
    fn get(&self, path: &str, bytes_max: u64) -> Result<Option<Vec<u8>>, SourceError> {
        Ok(self.dated(path, bytes_max)?.map(|(bytes, _)| bytes))
    }

    /// The same with its date.
    fn dated(&self, path: &str, bytes_max: u64) -> Result<Option<Dated>, SourceError> {
        let url = format!("{}/{path}", self.base);
        let mut tries = 1u32;
        loop {
            match self.once(&url, bytes_max) {
                Ok(found) => return Ok(found),
                Err(error) if error.may_pass() && tries < FILE_TRIES_MAX => {
                    tries = tries.saturating_add(1);
                    std::thread::sleep(TRY_PAUSE);
                }
                Err(error) => return Err(SourceError::new(url, error)),
            }
        }
    }

    fn once(&self, url: &str, bytes_max: u64) -> Result<Option<Dated>, HttpError> {
        let mut response = self.agent.get(url).call().map_err(HttpError::Transport)?;
        match response.status().as_u16() {
            200 => {}
            404 => return Ok(None),
            status => return Err(HttpError::Status(status)),
        }
        let date = response.headers().get("last-modified").and_then(|value| value.to_str().ok());
        let date = date.filter(|date| date.len() <= DATE_BYTES_MAX).map(str::to_owned);
        let mut bytes = Vec::new();
        // Counted after decompression: a small answer may not become a large one.
        let reader = response.body_mut().as_reader();
        reader.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes).map_err(HttpError::Cut)?;
        let long = u64::try_from(bytes.len()).unwrap_or(u64::MAX) > bytes_max;
        if long { Err(HttpError::TooLong(bytes_max)) } else { Ok(Some((bytes, date))) }
    }
}

impl LogSource for HttpLog {
    fn checkpoint(&self) -> Result<String, SourceError> {
        Ok(self.dated_checkpoint()?.0)
    }

    fn file(&self, path: &TilePath) -> Result<Option<Vec<u8>>, SourceError> {
        let bytes_max = match path.kind {
            TileKind::Hashes(_) => TILE_BYTES,
            TileKind::Entries => BUNDLE_BYTES,
        };
        self.get(&path.encode(), bytes_max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::net::TcpListener;

    /// Answers one request after the other with these heads and bodies, each on a connection of its own.
    fn server(answers: Vec<(String, Vec<u8>)>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for (head, body) in answers {
                let Ok((mut stream, _)) = listener.accept() else { return };
                let lines = BufReader::new(stream.try_clone().unwrap()).lines();
                assert!(lines.map_while(Result::ok).any(|line| line.is_empty()), "a request ends");
                let length = body.len();
                let head = format!("HTTP/1.1 {head}content-length: {length}\r\nconnection: close\r\n\r\n");
                let sent = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
                assert!(sent.is_ok() || length > 8_192, "only what is too long is not read to its end");
            }
        });
        address
    }

    fn answer(status: &str) -> (String, Vec<u8>) {
        (format!("{status}\r\n"), b"body".to_vec())
    }

    #[test]
    fn a_server_that_fails_for_a_moment_is_asked_again_and_not_for_ever() {
        let busy = || answer("503 Service Unavailable");
        let log = HttpLog::new(&server(vec![busy(), busy(), answer("200 OK")]));
        assert_eq!(log.get("x", 10).unwrap().as_deref(), Some(b"body".as_slice()));
        let log = HttpLog::new(&server(vec![busy(), busy(), busy(), answer("200 OK")]));
        assert!(log.get("x", 10).is_err());
        let log = HttpLog::new(&server(vec![answer("403 Forbidden"), answer("200 OK")]));
        assert!(log.get("x", 10).is_err(), "what will not pass is not tried again");
        assert_eq!(HttpLog::new(&server(vec![answer("404 Not Found")])).get("x", 10).unwrap(), None);
    }

    #[test]
    fn redirections_are_followed_to_their_limit() {
        let to = || ("302 Found\r\nlocation: /next\r\n".to_owned(), Vec::new());
        let most = usize::try_from(REDIRECTS_MAX).unwrap();
        for (count, ok) in [(most, true), (most + 1, false)] {
            let mut answers: Vec<_> = std::iter::repeat_with(to).take(count).collect();
            answers.push(answer("200 OK"));
            let log = HttpLog::new(&server(answers));
            assert_eq!(log.once(&format!("{}/x", log.base), 10).is_ok(), ok, "{count}");
        }
    }

    #[test]
    fn a_date_reaches_its_maximum_and_not_beyond() {
        for (bytes, kept) in [(DATE_BYTES_MAX, true), (DATE_BYTES_MAX + 1, false)] {
            let date = "x".repeat(bytes);
            let dated = || (format!("200 OK\r\nlast-modified: {date}\r\n"), b"note".to_vec());
            let (note, told) = HttpLog::new(&server(vec![dated()])).dated_checkpoint().unwrap();
            assert_eq!((note.as_str(), told.is_some()), ("note", kept));
        }
    }

    #[test]
    fn an_answer_reaches_its_maximum_and_not_beyond() {
        let of = |bytes: usize| HttpLog::new(&server(vec![("200 OK\r\n".to_owned(), vec![7; bytes])]));
        assert_eq!(of(8_192).get("x", TILE_BYTES).unwrap().map(|bytes| bytes.len()), Some(8_192));
        assert!(of(8_193).get("x", TILE_BYTES).is_err());
    }
}
