//! The service: one thread per connection, and an orderly end.
//!
//! On SIGTERM the readiness probe fails at once while requests are still served
//! for the drain time, because endpoints and proxies learn of the end later than
//! the pod does. Then no new connection is taken, open requests are finished, and
//! the process ends with 0.

use std::io::{self, BufReader};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::config::Config;
use crate::http::{Request, Response, read_request};
use crate::metrics::Metrics;

/// Connections served at once; one more is closed unanswered.
const MAX_CONNECTIONS: usize = 1024;
/// Stack of a connection's thread: the frames are small, and pods have little memory.
const THREAD_STACK_BYTES: usize = 128 * 1024;
/// How long open requests may take after the drain time.
const FINISH_LIMIT: Duration = Duration::from_secs(10);
/// How often the end looks whether they are finished.
const FINISH_POLL: Duration = Duration::from_millis(10);

#[derive(Debug)]
struct Service {
    config: Config,
    metrics: Metrics,
    draining: AtomicBool,
    connections: AtomicUsize,
    /// Requests that are read and not yet answered.
    open_requests: AtomicUsize,
}

/// Serves until SIGTERM or SIGINT.
///
/// # Errors
/// When the port cannot be opened or the signals cannot be caught.
pub fn run(config: &Config) -> Result<ExitCode, String> {
    // Before the start delay, so that a pod which is deleted while it starts ends at once.
    let mut signals = Signals::new([SIGTERM, SIGINT])
        .map_err(|error| format!("cannot catch signals: {error}"))?;
    let service = Arc::new(Service {
        config: config.clone(),
        metrics: Metrics::default(),
        draining: AtomicBool::new(false),
        connections: AtomicUsize::new(0),
        open_requests: AtomicUsize::new(0),
    });
    let listening = Arc::clone(&service);
    let (started, failed) = std::sync::mpsc::channel();
    thread::spawn(move || {
        let _ = started.send(listen(&listening));
    });
    thread::spawn(move || {
        // The listener only returns when it could not open its port.
        if let Ok(Err(message)) = failed.recv() {
            eprintln!("siskin-e2e-app: {message}");
            std::process::exit(1);
        }
    });
    if signals.forever().next().is_some() {
        drain(&service);
    }
    Ok(ExitCode::SUCCESS)
}

fn listen(service: &Arc<Service>) -> Result<(), String> {
    thread::sleep(service.config.start_delay);
    let wanted = (Ipv4Addr::UNSPECIFIED, service.config.port);
    let listener = TcpListener::bind(wanted)
        .map_err(|error| format!("cannot listen on port {}: {error}; set PORT", wanted.1))?;
    let port = listener
        .local_addr()
        .map_or(wanted.1, |address| address.port());
    println!("serving version={} port={port}", service.config.version);
    for stream in listener.incoming().flatten() {
        let service = Arc::clone(service);
        // A thread that cannot be started drops the connection, which the client sees.
        let _ = thread::Builder::new()
            .stack_size(THREAD_STACK_BYTES)
            .spawn(move || service.serve_connection(&stream));
    }
    Ok(())
}

fn drain(service: &Service) {
    service.draining.store(true, Ordering::SeqCst);
    println!(
        "draining version={} ms={}",
        service.config.version,
        service.config.drain.as_millis()
    );
    thread::sleep(service.config.drain);
    // The process ends before another connection matters: what is left are the
    // requests that were read already.
    let limit = Instant::now() + FINISH_LIMIT;
    while service.open_requests.load(Ordering::SeqCst) > 0 && Instant::now() < limit {
        thread::sleep(FINISH_POLL);
    }
    let unfinished = service.open_requests.load(Ordering::SeqCst);
    println!(
        "ended version={} unfinished={unfinished}",
        service.config.version
    );
}

impl Service {
    fn serve_connection(&self, stream: &TcpStream) {
        if self.connections.fetch_add(1, Ordering::SeqCst) < MAX_CONNECTIONS {
            // A client that hangs up or sends nonsense is no event for the service.
            let _ = self.serve_requests(stream);
        }
        self.connections.fetch_sub(1, Ordering::SeqCst);
    }

    fn serve_requests(&self, stream: &TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let mut reader = BufReader::new(stream);
        let mut writer = stream;
        while let Some(request) = read_request(&mut reader)? {
            self.open_requests.fetch_add(1, Ordering::SeqCst);
            let response = self.answer(&request);
            // While draining, clients are told to come back on another connection,
            // to a pod that stays.
            let close = request.close || self.draining.load(Ordering::SeqCst);
            let written = response.write(&request, close, &mut writer);
            self.open_requests.fetch_sub(1, Ordering::SeqCst);
            written?;
            if close {
                break;
            }
        }
        Ok(())
    }

    fn answer(&self, request: &Request) -> Response {
        match request.path.as_str() {
            "/readyz" if self.draining.load(Ordering::SeqCst) => Response::new(503, "draining\n"),
            "/readyz" | "/livez" => Response::new(200, "ok\n"),
            "/metrics" => Response::new(200, self.metrics.render(&self.config.version)),
            _ => {
                thread::sleep(self.config.latency);
                let status = self.metrics.next_status(self.config.error_rate);
                let Config { version, pod, .. } = &self.config;
                let mut response = Response::new(status, format!("{version} {pod}\n"));
                response.headers.push(("X-Version", version.clone()));
                response.headers.push(("X-Pod", pod.clone()));
                response
            }
        }
    }
}
