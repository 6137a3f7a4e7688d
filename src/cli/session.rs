//! What a verb has at hand: the console, the clock and, once it asks for it, the cluster.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use super::args::Flags;
use super::client::Cluster;
use super::failure::{Dialect, Failure};
use super::view::paint::Paint;
use crate::api::time::Time;

/// Where results and remarks go.
#[derive(Clone)]
pub enum Console {
    /// The process's own streams.
    Process,
    /// Memory: (results, remarks).
    Captured(Arc<Mutex<(String, String)>>),
}

impl Console {
    /// A console in memory.
    pub fn captured() -> Self {
        Self::Captured(Arc::default())
    }

    /// What was written so far: (results, remarks). Empty for the process's own streams.
    pub fn written(&self) -> (String, String) {
        match self {
            Self::Process => Default::default(),
            Self::Captured(texts) => texts.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }

    /// Writes results. A reader that has gone away (`| head`) is no error.
    pub fn print(&self, text: &str) {
        match self {
            Self::Process => {
                let mut out = io::stdout().lock();
                let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
            }
            Self::Captured(texts) => texts.lock().unwrap_or_else(PoisonError::into_inner).0.push_str(text),
        }
    }

    /// Writes remarks and errors.
    pub fn remark(&self, text: &str) {
        match self {
            Self::Process => {
                let _ = io::stderr().lock().write_all(text.as_bytes());
            }
            Self::Captured(texts) => texts.lock().unwrap_or_else(PoisonError::into_inner).1.push_str(text),
        }
    }
}

/// One run of the binary.
pub struct Session {
    /// Results and remarks.
    pub console: Console,
    /// The name that the binary was called by.
    pub dialect: Dialect,
    flags: Flags,
    cluster: Option<Cluster>,
    clock: fn() -> Time,
}

#[allow(clippy::disallowed_methods, reason = "the clock of a person at a terminal; tests give another")]
fn wall_clock() -> Time {
    i64::try_from(jiff::Timestamp::now().as_nanosecond()).map_or_else(|_| Time::default(), Time::from_nanos)
}

impl Session {
    /// A run in the terminal.
    pub fn new(dialect: Dialect, flags: Flags) -> Self {
        Self { console: Console::Process, dialect, flags, cluster: None, clock: wall_clock }
    }

    /// A run against a given cluster, which writes to memory.
    pub fn captured(dialect: Dialect, cluster: Cluster) -> Self {
        let flags = Flags::default();
        Self { console: Console::captured(), dialect, flags, cluster: Some(cluster), clock: wall_clock }
    }

    /// The connection flags.
    pub fn flags(&self) -> &Flags {
        &self.flags
    }

    /// The cluster that the flags and the kubeconfig name. It is not contacted yet.
    ///
    /// # Errors
    /// When there is no usable kubeconfig; says where it was looked for.
    pub async fn cluster(&mut self) -> Result<Cluster, Failure> {
        if self.cluster.is_none() {
            self.cluster = Some(Cluster::connect(&self.flags).await?);
        }
        self.cluster.clone().ok_or_else(|| Failure::new("not connected to a cluster"))
    }

    /// The current time.
    pub fn now(&self) -> Time {
        (self.clock)()
    }

    /// Whether to write colours: `--no-color` and `TERM=dumb` forbid it. Under its own name Siskin also spares
    /// pipes, files and people who set `NO_COLOR`; under Argo's it writes what Argo's CLI writes.
    pub fn paint(&self, colour: Colour) -> Paint {
        let set = |name: &str, value: &str| std::env::var(name).is_ok_and(|have| value.is_empty() || have == value);
        let spared =
            self.dialect == Dialect::Siskin && (set("NO_COLOR", "") || !io::IsTerminal::is_terminal(&io::stdout()));
        if colour == Colour::Never || set("TERM", "dumb") || spared { Paint::Plain } else { Paint::Ansi }
    }
}

/// What the caller said about colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// Nothing.
    Auto,
    /// `--no-color`.
    Never,
}
