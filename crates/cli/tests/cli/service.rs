//! A service that says what a test wants it to say.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Request {
    /// The how manieth connection brought it.
    pub connection: usize,
    /// Path and query.
    pub target: String,
    pub content_type: String,
    pub body: Vec<u8>,
}

/// Status, headers, body; `None` closes the connection without a word.
pub type Said = Option<(u16, &'static str, String)>;

/// Every request that came, in the order in which they were complete.
pub struct Service {
    pub url: String,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl Service {
    /// `say` gets the number of requests before this one, and the request.
    pub fn start(say: impl Fn(usize, &Request) -> Said + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (say, kept) = (Arc::new(say), Arc::clone(&seen));
        thread::spawn(move || {
            for (connection, stream) in listener.incoming().enumerate() {
                let (say, seen) = (Arc::clone(&say), Arc::clone(&seen));
                thread::spawn(move || serve(connection, &stream.unwrap(), &*say, &seen));
            }
        });
        Self { url, seen: kept }
    }

    pub fn seen(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }
}

fn serve(connection: usize, stream: &TcpStream, say: &dyn Fn(usize, &Request) -> Said, seen: &Mutex<Vec<Request>>) {
    let mut reader = BufReader::new(stream);
    while let Some(request) = request(connection, &mut reader) {
        let before = {
            let mut seen = seen.lock().unwrap();
            seen.push(request.clone());
            seen.len() - 1
        };
        let Some((status, headers, body)) = say(before, &request) else { return };
        let length = body.len();
        let mut stream = stream;
        let head = format!("HTTP/1.1 {status} x\r\ncontent-length: {length}\r\n{headers}\r\n");
        if stream.write_all(format!("{head}{body}").as_bytes()).is_err() {
            return;
        }
    }
}

fn request(connection: usize, reader: &mut impl BufRead) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
    let target = line.split(' ').nth(1)?.to_owned();
    let (mut length, mut content_type) = (0, String::new());
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((name, value)) = header.trim_end().split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().unwrap(),
            "content-type" => value.clone_into(&mut content_type),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Request { connection, target, content_type, body })
}

/// An answer that takes so many records.
pub fn accepted(records: usize) -> Said {
    Some((200, "", format!(r#"{{"durability":"fsync","accepted":{records},"rejected":0,"records":[]}}"#)))
}
