//! Runs the program as a kubelet would: start, probe, SIGTERM, exit code.

// Helpers outside `#[test]` functions fail the test by panicking, too.
#![allow(clippy::expect_used)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

struct App {
    child: Child,
    port: u16,
}

impl App {
    fn start(environment: &[(&str, &str)]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_siskin-e2e-app"))
            .env("PORT", "0")
            .envs(environment.iter().copied())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().expect("stdout is piped"));
        stdout.read_line(&mut line).expect("it says that it serves");
        let port = line
            .trim()
            .rsplit('=')
            .next()
            .and_then(|port| port.parse().ok());
        // The pipe stays open, else later log lines would end the program.
        std::thread::spawn(move || std::io::copy(&mut stdout, &mut std::io::sink()));
        Self {
            child,
            port: port.unwrap_or_else(|| panic!("no port in {line:?}")),
        }
    }

    fn get(&self, path: &str) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n"
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }

    fn status(&self, path: &str) -> String {
        let answer = self.get(path).expect("it answers");
        answer
            .split_whitespace()
            .nth(1)
            .unwrap_or_default()
            .to_owned()
    }

    fn terminate(&self) {
        let status = Command::new("kill")
            .arg(self.child.id().to_string())
            .status();
        assert!(status.expect("kill runs").success());
    }
}

impl Drop for App {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Polls, because a signal is delivered some time after `kill` returns.
fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let limit = Instant::now() + Duration::from_secs(5);
    while !holds() {
        assert!(Instant::now() < limit, "{what} did not happen");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn answers_carry_the_version_and_are_counted() {
    let app = App::start(&[
        ("VERSION", "v7"),
        ("ERROR_RATE", "0.5"),
        ("HOSTNAME", "pod-1"),
    ]);
    let answers: Vec<String> = (0..4)
        .map(|_| app.get("/shop").expect("it answers"))
        .collect();
    assert!(
        answers
            .iter()
            .all(|a| a.contains("X-Version: v7\r\n") && a.ends_with("v7 pod-1\n"))
    );
    assert_eq!(
        answers
            .iter()
            .filter(|a| a.starts_with("HTTP/1.1 500"))
            .count(),
        2
    );
    assert_eq!(app.status("/readyz"), "200");
    let metrics = app.get("/metrics").expect("it answers");
    assert!(
        metrics.contains("http_requests_total{version=\"v7\",code=\"500\"} 2\n"),
        "{metrics}"
    );
}

#[test]
fn sigterm_fails_readiness_at_once_and_serves_until_the_drain_is_over() {
    let mut app = App::start(&[("DRAIN_MS", "700")]);
    app.terminate();
    let asked = Instant::now();
    eventually("the readiness probe fails", || {
        app.status("/readyz") == "503"
    });
    assert_eq!(app.status("/shop"), "200");
    let exit = app.child.wait().expect("it ends");
    assert!(exit.success(), "{exit}");
    assert!(
        asked.elapsed() >= Duration::from_millis(650),
        "ended after {:?}",
        asked.elapsed()
    );
}

#[test]
fn an_open_request_is_finished_after_the_drain() {
    let mut app = App::start(&[("DRAIN_MS", "0"), ("LATENCY_MS", "600")]);
    let mut stream = TcpStream::connect(("127.0.0.1", app.port)).expect("it listens");
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: app\r\n\r\n")
        .expect("it reads");
    std::thread::sleep(Duration::from_millis(200));
    app.terminate();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer:?}");
    assert!(app.child.wait().expect("it ends").success());
}

#[test]
fn sigterm_during_the_start_delay_ends_it_without_an_error() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_siskin-e2e-app"))
        .env("START_DELAY_MS", "60000")
        .env("DRAIN_MS", "0")
        .stdout(Stdio::null())
        .spawn()
        .expect("the program starts");
    std::thread::sleep(Duration::from_millis(300));
    let status = Command::new("kill").arg(child.id().to_string()).status();
    assert!(status.expect("kill runs").success());
    let ended = Instant::now();
    assert!(child.wait().expect("it ends").success());
    assert!(ended.elapsed() < Duration::from_secs(5));
}
