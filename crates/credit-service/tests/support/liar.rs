//! A server that lies, sleeps, or is not there.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A server that answers every request as it likes, or never.
pub(crate) struct Liar {
    /// Where.
    pub(crate) url: String,
    seen: Arc<Mutex<Vec<String>>>,
}

/// What it answers.
pub(crate) enum Lie {
    /// Status, media type, body.
    Answer(u16, &'static str, String),
    /// Nothing; the connection stays open.
    Silence,
}

impl Liar {
    pub(crate) fn start(lie: impl Fn(&str) -> Lie + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&seen);
        std::thread::spawn(move || {
            let mut silent = Vec::new();
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let Some(body) = request(&mut stream) else { continue };
                told.lock().unwrap().push(body.clone());
                match lie(&body) {
                    Lie::Silence => silent.push(stream),
                    Lie::Answer(status, media_type, text) => {
                        let length = text.len();
                        let head = format!("HTTP/1.1 {status} x\r\ncontent-type: {media_type}\r\n");
                        let head = format!("{head}content-length: {length}\r\nconnection: close\r\n\r\n");
                        // A caller that has gone away is none of this test's business.
                        drop(stream.write_all((head + &text).as_bytes()));
                    }
                }
            }
        });
        Self { url, seen }
    }

    /// How many requests have come.
    pub(crate) fn requests(&self) -> usize {
        self.seen.lock().unwrap().len()
    }
}

/// Reads a request to its end and gives its body.
fn request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    let mut piece = [0; 4_096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.to_ascii_lowercase();
            let length = length.lines().find_map(|line| line.strip_prefix("content-length: "))?;
            if body.len() >= length.trim().parse().ok()? {
                return Some(body.to_owned());
            }
        }
        match stream.read(&mut piece) {
            Ok(0) | Err(_) => return None,
            Ok(read) => bytes.extend_from_slice(&piece[..read]),
        }
    }
}

/// An address where nobody listens.
pub(crate) fn nowhere() -> String {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    format!("http://{address}")
}
