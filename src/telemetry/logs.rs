//! Log lines: text for people, JSON for collectors; to standard error, so that standard output stays for results.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

/// Form of the log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Format {
    /// One readable line each.
    #[default]
    Text,
    /// One JSON object each.
    Json,
}

impl std::str::FromStr for Format {
    type Err = LogError;
    /// Argo: `--logformat`; the empty text means text.
    fn from_str(text: &str) -> Result<Self, LogError> {
        match text {
            "" | "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            other => Err(LogError::Format(other.to_owned())),
        }
    }
}

/// Why logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// Not a known format.
    #[error("log format {0:?} is not known: use --logformat text or --logformat json")]
    Format(String),
    /// Not a known level or directive.
    #[error("log level {0:?} is not known: use --loglevel trace, debug, info, warn or error")]
    Level(String),
    /// Someone else has set up logging in this process.
    #[error("logging is set up already in this process")]
    Twice,
}

/// The filter that a level flag means: that level for our own lines, `warn` for the libraries below us,
/// so that `debug` shows our decisions and not each TLS record.
fn filter(level: &str) -> Result<EnvFilter, LogError> {
    let refused = || LogError::Level(level.to_owned());
    // Argo's flag takes logrus' names, which spell two levels in other ways.
    let level = match level.to_ascii_lowercase().as_str() {
        "warning" => "warn".to_owned(),
        "fatal" | "panic" => "error".to_owned(),
        "" => "info".to_owned(),
        other => other.to_owned(),
    };
    if level.contains('=') || level.contains(',') {
        return EnvFilter::try_new(&level).map_err(|_| refused());
    }
    let known: tracing::level_filters::LevelFilter = level.parse().map_err(|_| refused())?;
    EnvFilter::try_new(format!("warn,siskin={known}")).map_err(|_| refused())
}

/// Sets up logging for the process: `level` is one of `trace debug info warn error off` (also logrus' `warning`,
/// `fatal`, `panic`), or a list of directives such as `info,siskin::runtime=debug`.
pub fn init(level: &str, format: Format) -> Result<(), LogError> {
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter(level)?)
        .with_writer(std::io::stderr)
        .with_span_events(FmtSpan::NONE)
        .with_target(false);
    let done = match format {
        Format::Text => builder.with_ansi(false).try_init(),
        Format::Json => builder.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init(),
    };
    done.map_err(|_| LogError::Twice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_those_of_both_worlds() {
        for level in ["", "info", "DEBUG", "warning", "fatal", "off", "info,siskin::runtime=debug"] {
            assert!(filter(level).is_ok(), "{level}");
        }
        assert!(filter("loud").unwrap_err().to_string().contains("--loglevel"));
        assert_eq!(filter("debug").unwrap().to_string().matches("siskin=debug").count(), 1);
    }

    #[test]
    fn formats_are_argos() {
        assert_eq!("".parse::<Format>().unwrap(), Format::Text);
        assert_eq!("json".parse::<Format>().unwrap(), Format::Json);
        assert!("xml".parse::<Format>().unwrap_err().to_string().contains("--logformat"));
    }
}
