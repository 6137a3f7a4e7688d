//! Users: a steady stream of requests through the gateway, each answer attributed to who gave it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use crate::http::{Connection, Request};

/// Connections of one scenario; each is kept open.
const CONNECTIONS: u32 = 4;
/// Requests a second over all connections.
const RATE: u32 = 40;
/// No answer for so long is a lost request; generous, since the machine is shared.
const TIMEOUT: Duration = Duration::from_secs(15);
/// Lost requests whose story is kept.
const MAX_STORIES: usize = 8;

/// A header that every request carries: its name and its value.
pub type Header = Option<(&'static str, &'static str)>;

/// Who answered how often.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Answers below 500, by version.
    pub served: BTreeMap<String, u64>,
    /// Answers of 500 and more that a version gave itself.
    pub failed: BTreeMap<String, u64>,
    /// No connection, no answer in time, or an answer of the gateway's own.
    pub lost: u64,
    /// When and how the first requests were lost.
    pub stories: Vec<String>,
}

impl Tally {
    /// All requests.
    pub fn requests(&self) -> u64 {
        self.served.values().chain(self.failed.values()).sum::<u64>() + self.lost
    }

    /// Requests that a version answered with an error.
    pub fn failures(&self) -> u64 {
        self.failed.values().sum()
    }

    /// Answers of one version, good or bad.
    pub fn of(&self, version: &str) -> u64 {
        self.served.get(version).unwrap_or(&0) + self.failed.get(version).unwrap_or(&0)
    }

    /// Share of one version among the answers, 0 to 100.
    pub fn percent(&self, version: &str) -> u64 {
        self.of(version) * 100 / (self.requests() - self.lost).max(1)
    }

    fn since(&self, earlier: &Self) -> Self {
        let less = |now: &BTreeMap<String, u64>, then: &BTreeMap<String, u64>| {
            now.iter().map(|(key, count)| (key.clone(), count - then.get(key).unwrap_or(&0))).collect()
        };
        Self {
            served: less(&self.served, &earlier.served),
            failed: less(&self.failed, &earlier.failed),
            lost: self.lost - earlier.lost,
            stories: Vec::new(),
        }
    }
}

/// A load that runs.
#[derive(Debug)]
pub struct Load {
    stop: Arc<AtomicBool>,
    tally: Arc<Mutex<Tally>>,
    threads: Vec<JoinHandle<()>>,
}

impl Load {
    /// Starts to ask for `host` at the gateway, with a header where one is given.
    pub fn start(gateway: SocketAddr, host: &str, header: Header) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let tally = Arc::new(Mutex::new(Tally::default()));
        let user = |_| {
            let (stop, tally, host) = (Arc::clone(&stop), Arc::clone(&tally), host.to_owned());
            thread::spawn(move || user(gateway, (&host, header), &stop, &tally))
        };
        let threads = (0..CONNECTIONS).map(user).collect();
        Self { stop, tally, threads }
    }

    /// What was answered so far.
    pub fn tally(&self) -> Tally {
        locked(&self.tally).clone()
    }

    /// What is answered from now on, for so long.
    pub fn during(&self, time: Duration) -> Tally {
        let before = self.tally();
        thread::sleep(time);
        self.tally().since(&before)
    }

    /// Stops, and waits for the last answers.
    pub fn stop(&mut self) -> Tally {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            // A user who panicked has counted what it could.
            drop(thread.join());
        }
        self.tally()
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn locked(tally: &Mutex<Tally>) -> MutexGuard<'_, Tally> {
    tally.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One connection's share of the load.
fn user(gateway: SocketAddr, asked: (&str, Header), stop: &AtomicBool, tally: &Mutex<Tally>) {
    let period = Duration::from_secs(1) * CONNECTIONS / RATE;
    let mut connection = None;
    while !stop.load(Ordering::Relaxed) {
        let began = Instant::now();
        if let Err(story) = one(gateway, asked, &mut connection, tally) {
            connection = None;
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            let mut tally = locked(tally);
            tally.lost += 1;
            if tally.stories.len() < MAX_STORIES {
                let story = format!("at {}.{:03}: {story}", crate::time::clock(now.as_secs()), now.subsec_millis());
                tally.stories.push(story);
            }
        }
        thread::sleep(period.saturating_sub(began.elapsed()));
    }
}

/// One request; an error is the story of a lost one.
fn one(
    gateway: SocketAddr,
    (host, header): (&str, Header),
    kept: &mut Option<Connection>,
    tally: &Mutex<Tally>,
) -> Result<(), String> {
    let mut connection = match kept.take() {
        Some(connection) => connection,
        None => Connection::open(gateway, TIMEOUT).map_err(|error| format!("no connection: {error}"))?,
    };
    let request = Request { method: "GET", path: "/", host, content_type: "", header };
    let answer = connection.ask(request, &[]).map_err(|error| format!("no answer: {error}"))?;
    let Some(version) = answer.header("x-version").map(str::to_owned) else {
        let body = String::from_utf8_lossy(&answer.body).chars().take(120).collect::<String>();
        return Err(format!("the gateway answered {} {body:?}", answer.status));
    };
    let mut tally = locked(tally);
    let counts = if answer.status < 500 { &mut tally.served } else { &mut tally.failed };
    *counts.entry(version).or_default() += 1;
    drop(tally);
    if !answer.closes() {
        *kept = Some(connection);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
