//! HTTP/1.1 as far as the scenarios need it: one connection that is kept, bodies of known length or in chunks.
//!
//! Written by hand so that the load sees each failure as it happens: no client retries behind its back.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Longest body that is read; a list of a namespace's pods has about 100 kB.
const MAX_BODY: usize = 16 << 20;
/// Most header lines of an answer.
const MAX_HEADERS: usize = 100;

/// An open connection.
#[derive(Debug)]
pub struct Connection {
    reader: BufReader<TcpStream>,
}

/// What a server said.
#[derive(Debug)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// Names in lower case, with values.
    pub headers: Vec<(String, String)>,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The value of a header; `name` in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Whether the server closes the connection after this answer.
    pub fn closes(&self) -> bool {
        self.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"))
    }
}

/// One request, without its body.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// GET, POST, …
    pub method: &'a str,
    /// Path with query.
    pub path: &'a str,
    /// `Host`.
    pub host: &'a str,
    /// `Content-Type` of the body; empty without one.
    pub content_type: &'a str,
    /// One more header: its name and its value.
    pub header: Option<(&'a str, &'a str)>,
}

fn bad(message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

impl Connection {
    /// Connects; `timeout` bounds the connect and each later read and write.
    pub fn open(address: SocketAddr, timeout: Duration) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, timeout)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(timeout))?;
        stream.set_write_timeout(Some(timeout))?;
        Ok(Self { reader: BufReader::new(stream) })
    }

    /// Sends a request and reads the whole answer.
    pub fn ask(&mut self, request: Request<'_>, body: &[u8]) -> io::Result<Answer> {
        self.send(request, body)?;
        let mut answer = self.head()?;
        if chunked(&answer) {
            let mut whole = Vec::new();
            self.chunks(|chunk| {
                whole.extend_from_slice(chunk);
                whole.len() <= MAX_BODY
            })?;
            answer.body = whole;
        } else if let Some(length) = answer.header("content-length").and_then(|text| text.parse::<usize>().ok()) {
            answer.body = vec![0; length.min(MAX_BODY)];
            self.reader.read_exact(&mut answer.body)?;
        }
        Ok(answer)
    }

    /// Sends a GET and hands each line of the answer over as it arrives, until `line` returns false or the body ends.
    pub fn follow(&mut self, request: Request<'_>, mut line: impl FnMut(&str) -> bool) -> io::Result<()> {
        self.send(request, &[])?;
        let answer = self.head()?;
        if answer.status != 200 || !chunked(&answer) {
            return Err(bad(&format!("the watch of {} was answered with {}", request.path, answer.status)));
        }
        let mut rest = Vec::new();
        self.chunks(|chunk| {
            rest.extend_from_slice(chunk);
            while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                let whole: Vec<u8> = rest.drain(..=end).collect();
                if !line(&String::from_utf8_lossy(&whole)) {
                    return false;
                }
            }
            rest.len() <= MAX_BODY
        })
    }

    fn send(&mut self, request: Request<'_>, body: &[u8]) -> io::Result<()> {
        let Request { method, path, host, content_type, header } = request;
        let mut text = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n");
        if !content_type.is_empty() {
            text.extend(["Content-Type: ", content_type, "\r\nContent-Length: ", &body.len().to_string(), "\r\n"]);
        }
        if let Some((name, value)) = header {
            text.extend([name, ": ", value, "\r\n"]);
        }
        text.push_str("\r\n");
        let mut bytes = text.into_bytes();
        bytes.extend_from_slice(body);
        self.reader.get_mut().write_all(&bytes)
    }

    fn head(&mut self) -> io::Result<Answer> {
        let first = self.text_line()?;
        let status = first.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status = status.ok_or_else(|| bad(&format!("no status line: {first:?}")))?;
        let mut headers = Vec::new();
        loop {
            let line = self.text_line()?;
            if line.is_empty() {
                return Ok(Answer { status, headers, body: Vec::new() });
            }
            if let Some((name, value)) = line.split_once(':') {
                headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
            }
            if headers.len() > MAX_HEADERS {
                return Err(bad("too many header lines"));
            }
        }
    }

    fn text_line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.reader.read_line(&mut line)? == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the connection was closed"));
        }
        Ok(line.trim_end().to_owned())
    }

    fn chunks(&mut self, mut take: impl FnMut(&[u8]) -> bool) -> io::Result<()> {
        loop {
            let line = self.text_line()?;
            let size = usize::from_str_radix(line.split(';').next().unwrap_or_default().trim(), 16)
                .map_err(|_| bad(&format!("no chunk size: {line:?}")))?;
            let mut chunk = vec![0; size.min(MAX_BODY)];
            self.reader.read_exact(&mut chunk)?;
            self.text_line()?;
            if size == 0 || !take(&chunk) {
                return Ok(());
            }
        }
    }
}

fn chunked(answer: &Answer) -> bool {
    answer.header("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked"))
}
