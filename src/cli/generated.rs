//! Files that the program makes of its own tables: printed, or written to a directory.

use std::path::Path;

use super::failure::Failure;
use super::session::Session;

/// Prints the texts as one YAML stream, or writes each to its file in `dir`, which is made where it is missing.
pub(super) fn hand_out(session: &Session, dir: Option<&Path>, files: &[(&str, &str)]) -> Result<(), Failure> {
    let Some(dir) = dir else {
        let texts: Vec<&str> = files.iter().map(|(_, text)| *text).collect();
        session.console.print(&texts.join("---\n"));
        return Ok(());
    };
    let failure = |what: &str, path: &Path, error: std::io::Error| {
        Failure::new(format!("cannot {what} {}: {error}", path.display()))
    };
    std::fs::create_dir_all(dir).map_err(|error| failure("create", dir, error))?;
    for (name, text) in files {
        let path = dir.join(name);
        std::fs::write(&path, text).map_err(|error| failure("write", &path, error))?;
        session.console.remark(&format!("wrote {}\n", path.display()));
    }
    Ok(())
}
