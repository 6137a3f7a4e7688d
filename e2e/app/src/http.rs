//! The little of HTTP/1.1 that the workload speaks: requests without a body or
//! with a `Content-Length`, connections that are kept open, answers of known length.

use std::io::{self, BufRead, Read, Write};

/// The most bytes that a request's head may have: proxies send far less.
const MAX_HEAD_BYTES: u64 = 32 * 1024;
/// The most bytes of a request body that are read and thrown away.
const MAX_BODY_BYTES: u64 = 1024 * 1024;

/// What the server needs to know of a request.
#[derive(Debug, PartialEq, Eq)]
pub struct Request {
    /// The path without its query.
    pub path: String,
    /// Whether the client wants the connection closed after the answer.
    pub close: bool,
    /// Whether the answer must carry no body.
    pub head: bool,
}

/// Reads one request, its body included; `None` when the client has hung up.
pub fn read_request(stream: &mut impl BufRead) -> io::Result<Option<Request>> {
    let mut limited = stream.by_ref().take(MAX_HEAD_BYTES);
    let mut line = String::new();
    if limited.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace();
    let (Some(method), Some(target), Some(protocol)) = (words.next(), words.next(), words.next())
    else {
        return Err(bad("the request line has not three words"));
    };
    let path = target.split('?').next().unwrap_or(target).to_owned();
    let mut request = Request {
        path,
        close: protocol == "HTTP/1.0",
        head: method == "HEAD",
    };
    let mut body = 0;
    loop {
        let mut header = String::new();
        if limited.read_line(&mut header)? == 0 {
            return Err(bad("the head of the request is cut off or too long"));
        }
        let header = header.trim_end();
        if header.is_empty() {
            break;
        }
        let (name, value) = header
            .split_once(':')
            .ok_or_else(|| bad("a header has no colon"))?;
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "content-length" => body = value.parse().map_err(|_| bad("no length"))?,
            "transfer-encoding" => return Err(bad("chunked bodies are not read")),
            "connection" => request.close |= value.eq_ignore_ascii_case("close"),
            _ => {}
        }
    }
    skip_body(stream, body)?;
    Ok(Some(request))
}

fn skip_body(stream: &mut impl BufRead, length: u64) -> io::Result<()> {
    if length > MAX_BODY_BYTES {
        return Err(bad("the body is too long"));
    }
    io::copy(&mut stream.take(length), &mut io::sink()).map(drop)
}

fn bad(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

/// An answer that is about to be written.
#[derive(Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Headers beside those on length, type and connection.
    pub headers: Vec<(&'static str, String)>,
    /// The body, as text.
    pub body: String,
}

impl Response {
    /// An answer with this body and no headers of its own.
    pub fn new(status: u16, body: impl Into<String>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.into(),
        }
    }

    /// Writes the answer in one piece.
    pub fn write(&self, request: &Request, close: bool, stream: &mut impl Write) -> io::Result<()> {
        let reason = match self.status {
            200 => "OK",
            404 => "Not Found",
            503 => "Service Unavailable",
            _ => "Internal Server Error",
        };
        let mut text = format!(
            "HTTP/1.1 {} {reason}\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {}\r\n",
            self.status,
            self.body.len()
        );
        for (name, value) in &self.headers {
            text.extend([name, ": ", value.as_str(), "\r\n"]);
        }
        if close {
            text.push_str("Connection: close\r\n");
        }
        text.push_str("\r\n");
        if !request.head {
            text.push_str(&self.body);
        }
        stream.write_all(text.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> io::Result<Vec<Request>> {
        let mut stream = text.as_bytes();
        let mut requests = Vec::new();
        while let Some(request) = read_request(&mut stream)? {
            requests.push(request);
        }
        Ok(requests)
    }

    #[test]
    fn requests_on_one_connection_are_told_apart_by_their_length() {
        let text = "POST /a?q=1 HTTP/1.1\r\nContent-Length: 4\r\n\r\nGET GET /b HTTP/1.1\r\nCONNECTION: Close\r\n\r\n";
        let requests = read(text).unwrap();
        let paths: Vec<_> = requests
            .iter()
            .map(|r| (r.path.as_str(), r.close))
            .collect();
        assert_eq!(paths, [("/a", false), ("/b", true)]);
    }

    #[test]
    fn a_request_that_cannot_be_read_is_an_error() {
        for text in [
            "GET /\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: x\r\n",
            "GET / HTTP/1.1\r\nnonsense\r\n\r\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
        ] {
            assert!(read(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_head_request_gets_the_length_but_no_body() {
        let request = Request {
            path: "/".into(),
            close: false,
            head: true,
        };
        let mut out = Vec::new();
        Response::new(200, "v1\n")
            .write(&request, true, &mut out)
            .unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(
            text.contains("Content-Length: 3\r\n") && text.ends_with("close\r\n\r\n"),
            "{text}"
        );
    }
}
