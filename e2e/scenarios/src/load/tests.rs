//! Who is blamed for which answer: a load that cannot see a loss proves nothing.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Mutex;
use std::thread;

use super::{Tally, one};

/// A server that reads one request and sends this text.
fn server(text: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut line = String::new();
        while reader.read_line(&mut line).unwrap() > 2 {
            line.clear();
        }
        stream.write_all(text.as_bytes()).unwrap();
    });
    address
}

fn ask(text: &'static str) -> (Result<(), String>, Tally, bool) {
    let (tally, mut kept) = (Mutex::new(Tally::default()), None);
    let result = one(server(text), ("shop.example", None), &mut kept, &tally);
    (result, tally.into_inner().unwrap(), kept.is_some())
}

#[test]
fn a_good_answer_is_the_version_s_and_the_connection_is_kept() {
    let (result, tally, kept) = ask("HTTP/1.1 200 OK\r\nX-Version: 2\r\nContent-Length: 2\r\n\r\nok");
    assert_eq!((result, tally.of("2"), tally.failures(), kept), (Ok(()), 1, 0, true));
}

#[test]
fn an_error_with_a_version_is_the_version_s() {
    let text = "HTTP/1.1 500 No\r\nX-Version: bad\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\nno\r\n0\r\n\r\n";
    let (result, tally, kept) = ask(text);
    assert_eq!((result, tally.failures(), tally.percent("bad"), kept), (Ok(()), 1, 100, false));
}

#[test]
fn an_answer_of_the_gateway_s_own_is_a_loss() {
    let (result, tally, _) = ask("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 19\r\n\r\nno healthy upstream");
    assert!(result.unwrap_err().contains("503 \"no healthy upstream\""));
    assert_eq!(tally.requests(), 0);
}

#[test]
fn a_connection_that_ends_is_a_loss() {
    let (result, _, kept) = ask("");
    assert!(result.unwrap_err().contains("no answer"));
    assert!(!kept);
}

#[test]
fn nobody_there_is_a_loss() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let result = one(free, ("shop.example", None), &mut None, &Mutex::default());
    assert!(result.unwrap_err().contains("no connection"));
}
