//! What runs in the pods: the images of `e2e/app` behave in the model as they do on a node.
//!
//! | a pod says | and behaves |
//! | --- | --- |
//! | image `e2e.local/app:1`, `:2`, `:3` | serves as that version |
//! | image `e2e.local/app:bad` | answers every second request with an error |
//! | any other image | never starts: no node has it, and none can fetch it |
//! | `VERSION`, `ERROR_RATE` | overrides of the image's |
//! | `START_DELAY_MS` | is ready so much later |
//! | `DRAIN_MS` (3000) | answers for so long after its deletion |
//! | command or arguments with `exit` | ends at once, again and again |
//! | command or arguments with `pause` or `sleep`, or a readiness probe of another port than `http` or 8080 | runs, and is never ready |
//!
//! `LATENCY_MS` and `PORT` are not looked at.

use serde_json::{Map, Value, json};
use siskin::api::Time;
use siskin::sim::api_server::{ApiServer, Hand};
use siskin::sim::models::Model;
use siskin::sim::models::kubelet::{BEHAVIOUR, START, STOP};
use siskin::sim::object;
use siskin::sim::traffic::flow::ERROR_RATE;

/// Name of the workload's images, before the tag.
const IMAGE: &str = "e2e.local/app:";
/// Each tag that the harness makes, with its share of errors: `e2e/cluster/lib/versions.sh`.
const TAGS: &[(&str, &str)] = &[("1", "0"), ("2", "0"), ("3", "0"), ("bad", "0.5")];
/// From its creation to its first good readiness probe, in seconds: containers start within one, probes follow.
const STARTS_IN: f64 = 1.2;
/// From the end of its drain until a pod is gone, in seconds.
const ENDS_IN: f64 = 0.3;
/// How long it drains, in milliseconds, where it does not say.
const DRAIN_MS: f64 = 3000.0;
/// Ports that the program serves.
const PORTS: [&str; 2] = ["http", "8080"];

/// Writes onto each new pod how it behaves. Its actor name is `programs`.
#[derive(Clone)]
pub struct Programs {
    hand: Hand,
    seen: u64,
}

impl Programs {
    /// Looks at the pods of a server.
    pub fn new(server: &ApiServer) -> Self {
        Self { hand: server.hand("programs"), seen: 0 }
    }
}

impl Model for Programs {
    fn tick(&mut self, _: Time) -> Option<Time> {
        let version = self.hand.server().version_of(&["Pod"]);
        if version != self.seen {
            self.seen = version;
            for pod in self.hand.list("Pod", "") {
                if object::annotation(&pod, STOP).is_none() {
                    let patch = json!({"metadata": {"annotations": behaviour(&pod)}});
                    // A pod that is gone behaves in no way.
                    let _ = self.hand.merge("Pod", (object::namespace(&pod), object::name(&pod)), &patch);
                }
            }
        }
        None
    }
}

/// The annotations that tell the model of nodes and of traffic what the pod's program does.
fn behaviour(pod: &Value) -> Value {
    let container = pod.pointer("/spec/containers/0").unwrap_or(&Value::Null);
    let variable = |name: &str| {
        let named = object::list(container, "/env").iter().find(|variable| object::text(variable, "/name") == name);
        named.map(|variable| object::text(variable, "/value")).filter(|value| !value.is_empty())
    };
    let millis = |name: &str, default: f64| variable(name).and_then(|text| text.parse::<f64>().ok()).unwrap_or(default);
    let mut notes = Map::new();
    let mut note = |name: &str, value: String| notes.insert(name.to_owned(), json!(value));
    note(START, format!("{}", STARTS_IN + millis("START_DELAY_MS", 0.0) / 1000.0));
    note(STOP, format!("{}", ENDS_IN + millis("DRAIN_MS", DRAIN_MS) / 1000.0));
    let tag = object::text(container, "/image").strip_prefix(IMAGE);
    let known = TAGS.iter().find(|(known, _)| tag == Some(known));
    if let Some(rate) = variable("ERROR_RATE").or(known.map(|(_, rate)| *rate)) {
        note(ERROR_RATE, rate.to_owned());
    }
    let words =
        ["/command", "/args"].into_iter().flat_map(|list| object::list(container, list)).filter_map(Value::as_str);
    let words: Vec<&str> = words.collect();
    let odd = if known.is_none() {
        Some("never-pulls")
    } else if words.contains(&"exit") {
        Some("crash-back-off")
    } else if words.contains(&"pause") || words.contains(&"sleep") || !probes_the_program(container) {
        Some("never-ready")
    } else {
        None
    };
    if let Some(odd) = odd {
        note(BEHAVIOUR, odd.to_owned());
    }
    Value::Object(notes)
}

fn probes_the_program(container: &Value) -> bool {
    let port = container.pointer("/readinessProbe/httpGet/port");
    port.is_none_or(|port| PORTS.contains(&port.to_string().trim_matches('"')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(change: impl Fn(&mut Value)) -> Value {
        let probe = json!({"httpGet": {"path": "/readyz", "port": "http"}});
        let mut container = json!({"name": "shop", "image": "e2e.local/app:1", "readinessProbe": probe});
        change(&mut container);
        behaviour(&json!({"spec": {"containers": [container]}}))
    }

    #[test]
    fn images_and_variables_become_behaviour() {
        let plain = pod(|_| ());
        assert_eq!((&plain[STOP], &plain[ERROR_RATE], &plain[BEHAVIOUR]), (&json!("3.3"), &json!("0"), &Value::Null));
        assert_eq!(pod(|container| container["image"] = json!("e2e.local/app:bad"))[ERROR_RATE], json!("0.5"));
        let told = pod(|container| {
            container["env"] = json!([{"name": "DRAIN_MS", "value": "700"}, {"name": "ERROR_RATE", "value": "0.1"}]);
        });
        assert_eq!((&told[STOP], &told[ERROR_RATE]), (&json!("1"), &json!("0.1")));
    }

    #[test]
    fn what_cannot_serve_does_not() {
        for (field, value, expected) in [
            ("image", json!("e2e.local/app:missing"), "never-pulls"),
            ("image", json!("example.com/shop:1"), "never-pulls"),
            ("command", json!(["/app", "exit", "1"]), "crash-back-off"),
            ("args", json!(["sleep", "600"]), "never-ready"),
            ("readinessProbe", json!({"httpGet": {"path": "/", "port": 9}}), "never-ready"),
        ] {
            assert_eq!(pod(|container| container[field] = value.clone())[BEHAVIOUR], json!(expected), "{field}");
        }
    }
}
