//! What `get`, `status` and `list` print about given objects. Blanks at the ends of lines do not count.

use serde_json::{Value, json};
use siskin::cli::answer;

use crate::file::Recorded;

pub const FILE: Recorded = Recorded { shape, compared: |_, value| trimmed(&value), ..Recorded::new("cli-get", answer) };

/// The file says once what the time is.
fn shape(meta: &Value, line: &Value) -> Value {
    let mut line = line.clone();
    line["in"]["now"] = meta["now"].clone();
    line
}

fn answer(_: &str, input: &Value) -> Option<Value> {
    let objects = input["objects"].as_array().cloned().unwrap_or_default();
    let words = input["argv"].as_array()?.iter().map(Value::as_str).collect::<Option<Vec<&str>>>()?;
    let args: Vec<&str> = std::iter::once("kubectl-argo-rollouts").chain(words).collect();
    let got = answer::answer(&args, &objects, "ns", input["now"].as_str()?.parse().ok()?);
    Some(json!({"stdout": got.stdout, "stderr": got.stderr, "failed": got.failed}))
}

fn trimmed(out: &Value) -> Value {
    let text =
        |name: &str| out[name].as_str().unwrap_or_default().lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
    json!({"stdout": text("stdout"), "stderr": text("stderr"), "failed": out["failed"] == true})
}
