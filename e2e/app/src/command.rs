//! The words on the command line beside serving: what hooks, jobs and sandboxes run.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// How long a GET may wait for each step.
const GET_TIMEOUT: Duration = Duration::from_secs(5);
/// The most bytes of an answer that are read.
const MAX_ANSWER_BYTES: u64 = 64 * 1024;

/// Waits for SIGTERM or SIGINT. It reaps no children, so pods that share their
/// process namespace should not use it as their sandbox.
pub fn pause() -> Result<ExitCode, String> {
    let mut signals = Signals::new([SIGTERM, SIGINT])
        .map_err(|error| format!("cannot catch signals: {error}"))?;
    signals.forever().next();
    Ok(ExitCode::SUCCESS)
}

/// Sleeps for this many seconds, fractions allowed.
pub fn sleep(seconds: &str) -> Result<ExitCode, String> {
    let duration = seconds
        .parse()
        .ok()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| format!("cannot sleep for `{seconds}`, give a number of seconds"))?;
    thread::sleep(duration);
    Ok(ExitCode::SUCCESS)
}

/// Ends with this code.
pub fn exit_code(code: &str) -> Result<ExitCode, String> {
    let code: u8 = code
        .parse()
        .map_err(|_| format!("cannot exit with `{code}`, give 0 to 255"))?;
    println!("exiting with {code}");
    Ok(ExitCode::from(code))
}

/// Fetches `http://host:port/path` once and prints status and body.
pub fn get(url: &str) -> Result<ExitCode, String> {
    let (host, path) =
        split_url(url).ok_or_else(|| format!("`{url}` is no http://host:port/path"))?;
    let answer = fetch(&host, &path).map_err(|error| format!("GET {url}: {error}"))?;
    let (head, body) = answer
        .split_once("\r\n\r\n")
        .unwrap_or((answer.as_str(), ""));
    let status = head.split_whitespace().nth(1).unwrap_or("000");
    println!("{status} {}", body.trim_end());
    Ok(if status.starts_with('2') {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn split_url(url: &str) -> Option<(String, String)> {
    let rest = url.strip_prefix("http://")?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = if host.contains(':') {
        host.to_owned()
    } else {
        format!("{host}:80")
    };
    Some((host, format!("/{path}")))
}

fn fetch(host: &str, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(host)?;
    stream.set_read_timeout(Some(GET_TIMEOUT))?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.take(MAX_ANSWER_BYTES).read_to_string(&mut answer)?;
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::split_url;

    #[test]
    fn a_url_gets_its_default_port_and_path() {
        for (url, host, path) in [
            ("http://10.96.0.7", "10.96.0.7:80", "/"),
            ("http://10.96.0.7:8080/a/b?c", "10.96.0.7:8080", "/a/b?c"),
        ] {
            assert_eq!(split_url(url), Some((host.to_owned(), path.to_owned())));
        }
        assert_eq!(split_url("https://10.96.0.7"), None);
    }
}
