//! `docs/cli.md` and `docs/configuration.md` are made from the command line's own definitions.
//!
//! They are compared with what is checked in; `UPDATE=1` (or `make crds`) writes them anew. What people write by hand
//! is checked for links and paths that lead nowhere.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::{Arg, Args as _, Command, CommandFactory as _};
use siskin::cli::args::Cli;
use siskin::config::ControllerFlags;

const CLI_HEAD: &str = "\
# The command line

Made from the definitions in `src/cli` by `make crds`; not to be edited by hand.

One binary, three names: `siskin`, `kubectl-siskin` (then `kubectl siskin …` works) and `kubectl-argo-rollouts`
(then `kubectl argo rollouts …` works, with the messages that scripts for Argo Rollouts parse).
Exit codes: 0, or 1 for every error; `simulate` and `check-trace` have others beside.
";

const CONFIGURATION_HEAD: &str = "\
# Configuration of the controller

Made from the definitions in `src/config.rs` by `make crds`; not to be edited by hand.

`siskin controller` takes these flags. Names and defaults are Argo Rollouts' where Argo Rollouts has them; flags whose
text begins with \"Siskin:\" are its own. Durations are written as in Go: `15s`, `1m30s`. The flags that choose the
cluster (`--kubeconfig`, `--context`, `--namespace`) are those of every verb: see [cli.md](cli.md).
";

#[test]
fn command_line_is_documented() {
    let mut command = Cli::command();
    command.build();
    let mut text = CLI_HEAD.to_owned();
    text.push_str("\n## Flags of every verb\n\n");
    text.push_str(&flags(command.get_arguments().filter(|arg| arg.is_global_set())));
    for verb in command.get_subcommands().filter(|verb| verb.get_name() != "help") {
        text.push_str(&section(verb, "siskin", 2));
    }
    compare("docs/cli.md", &text);
}

#[test]
fn configuration_is_documented() {
    let command = ControllerFlags::augment_args(Command::new("controller"));
    let mut text = CONFIGURATION_HEAD.to_owned();
    text.push_str("\n## Flags\n\n");
    text.push_str(&flags(command.get_arguments()));
    text.push_str("\n## Environment\n\n| variable | stands for |\n| --- | --- |\n");
    for arg in command.get_arguments() {
        if let (Some(variable), Some(flag)) = (arg.get_env(), arg.get_long()) {
            writeln!(text, "| `{}` | `--{flag}` |", variable.to_string_lossy()).unwrap();
        }
    }
    compare("docs/configuration.md", &text);
}

#[test]
fn documents_point_to_what_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let link = regex::Regex::new(r"\]\(([^)#:]+)[^):]*\)").unwrap();
    let path = regex::Regex::new("`([a-z_0-9]+(?:/[a-z_0-9.]+)+)`").unwrap();
    let (mut seen, mut lost) = (0, Vec::new());
    for file in documents(root) {
        let text = std::fs::read_to_string(&file).unwrap();
        let folder = file.parent().unwrap();
        for found in link.captures_iter(&text).map(|found| found[1].to_owned()) {
            seen += 1;
            if !folder.join(&found).exists() {
                lost.push(format!("{}: no {found}", file.display()));
            }
        }
        for found in path.captures_iter(&text).map(|found| found[1].to_owned()) {
            seen += 1;
            let below = |parent: &str| {
                let whole = root.join(parent).join(&found);
                whole.exists() || whole.with_extension("rs").exists()
            };
            if !["", "src", "src/rollout"].into_iter().any(below) {
                lost.push(format!("{}: no {found}", file.display()));
            }
        }
    }
    assert!(lost.is_empty(), "{}", lost.join("\n"));
    assert!(seen > 50, "only {seen} links and paths were found");
}

/// What people write by hand, and read.
fn documents(root: &Path) -> Vec<PathBuf> {
    let mut found = vec![root.join("README.md"), root.join("CHANGELOG.md")];
    for folder in ["docs", "docs/decisions"] {
        let entries = std::fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap().path());
        found.extend(entries.filter(|path| path.extension().is_some_and(|kind| kind == "md")));
    }
    found
}

/// A verb and those below it.
fn section(verb: &Command, parent: &str, level: usize) -> String {
    let name = format!("{parent} {}", verb.get_name());
    let about = verb.get_long_about().or(verb.get_about()).map(ToString::to_string).unwrap_or_default();
    let mut text = format!("\n{} {name}\n\n{}\n", "#".repeat(level), about.trim());
    let usage = verb.clone().bin_name(&name).render_usage().to_string();
    write!(text, "\n```text\n{}\n", usage.trim()).unwrap();
    if let Some(examples) = verb.get_after_help() {
        write!(text, "\n{}\n", examples.to_string().trim()).unwrap();
    }
    text.push_str("```\n");
    let own: Vec<&Arg> = verb.get_arguments().filter(|arg| !arg.is_global_set() && arg.get_id() != "help").collect();
    if !own.is_empty() {
        write!(text, "\n{}", flags(own.into_iter())).unwrap();
    }
    for below in verb.get_subcommands().filter(|below| below.get_name() != "help") {
        text.push_str(&section(below, &name, level + 1));
    }
    text
}

/// A table of arguments; hidden ones are left out.
fn flags<'a>(arguments: impl Iterator<Item = &'a Arg>) -> String {
    let mut text = "| argument | default | |\n| --- | --- | --- |\n".to_owned();
    for arg in arguments.filter(|arg| !arg.is_hide_set() && arg.get_id() != "help") {
        let defaults: Vec<String> =
            arg.get_default_values().iter().map(|value| value.to_string_lossy().into()).collect();
        let shown = defaults.join(",");
        let takes_value = arg.get_action().takes_values();
        let default = if shown.is_empty() || !takes_value { String::new() } else { format!("`{shown}`") };
        let help = arg.get_long_help().or(arg.get_help()).map(ToString::to_string).unwrap_or_default();
        writeln!(text, "| `{}` | {default} | {} |", spelled(arg), one_line(&help)).unwrap();
    }
    text
}

/// An argument as it is typed.
fn spelled(arg: &Arg) -> String {
    let value =
        || arg.get_value_names().and_then(|names| names.first()).map_or("VALUE", |name| name.as_str()).to_owned();
    let value_of_flag = if arg.get_action().takes_values() { format!(" <{}>", value()) } else { String::new() };
    match (arg.get_short(), arg.get_long()) {
        (Some(short), Some(long)) => format!("-{short}, --{long}{value_of_flag}"),
        (None, Some(long)) => format!("--{long}{value_of_flag}"),
        (Some(short), None) => format!("-{short}{value_of_flag}"),
        (None, None) => format!("<{}>", value()),
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

/// Fails where a file differs from `text`; with `UPDATE` set, writes it.
fn compare(file: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(stored == text, "{file} is out of date: run `make crds`");
}
