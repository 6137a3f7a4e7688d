//! The program that runs in the pods of the end-to-end tests.
//!
//! It is linked statically and is the only file of its image, so everything a
//! test wants to run in a pod is a word on its command line:
//!
//! | arguments     | what it does                                                   |
//! |---------------|----------------------------------------------------------------|
//! | (none)        | serves HTTP as one version of a service, see [`config`]         |
//! | `pause`       | waits for a signal: the sandbox container of every pod          |
//! | `sleep SECS`  | sleeps, as a preStop hook does                                  |
//! | `exit CODE`   | ends with this code, as a Job that passes or fails              |
//! | `get URL`     | one GET, prints status and body, fails unless the status is 2xx |
//!
//! It never talks to Kubernetes and keeps no state.

mod command;
mod config;
mod http;
mod metrics;
mod server;

use std::process::ExitCode;

/// The exit code for arguments or environment that mean nothing.
const EXIT_USAGE: u8 = 2;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        [] => config::Config::from_environment().and_then(|config| server::run(&config)),
        ["pause"] => command::pause(),
        ["sleep", seconds] => command::sleep(seconds),
        ["exit", code] => command::exit_code(code),
        ["get", url] => command::get(url),
        _ => Err(format!(
            "no command `{}`; there are: pause, sleep SECS, exit CODE, get URL, or none to serve",
            words.join(" ")
        )),
    };
    result.unwrap_or_else(|message| {
        eprintln!("siskin-e2e-app: {message}");
        ExitCode::from(EXIT_USAGE)
    })
}
