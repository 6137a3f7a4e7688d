use kube::core::{ObjectList, WatchEvent};

use super::*;

#[derive(Debug, serde::Deserialize, PartialEq)]
pub struct Thing {
    metadata: Meta,
    #[serde(default)]
    size: i32,
}

impl Cached for Thing {
    fn object_meta(&self) -> &Meta {
        &self.metadata
    }
}

const GOOD: &str = r#"{"metadata":{"name":"web","namespace":"shop","resourceVersion":"7"},"size":3}"#;
const BAD: &str = r#"{"metadata":{"name":"bad","namespace":"shop","resourceVersion":"8"},"size":"three"}"#;
const WORSE: &str = r#"{"metadata":{"name":"worse","labels":7,"resourceVersion":"9"},"size":3}"#;

#[test]
fn one_bad_object_does_not_break_the_list() {
    let list = format!(r#"{{"kind":"List","apiVersion":"v1","metadata":{{}},"items":[{GOOD},{BAD},{WORSE}]}}"#);
    let list: ObjectList<Watched<Thing>> = serde_json::from_str(&list).unwrap();
    let names: Vec<_> = list.items.iter().map(|w| (w.entry.meta().name.as_str(), w.entry.object().is_some())).collect();
    assert_eq!(names, [("web", true), ("bad", false), ("worse", false)]);
    let Entry::Invalid(invalid) = &list.items[1].entry else { panic!("decoded") };
    assert!(invalid.error.contains("three"), "{}", invalid.error);
    assert_eq!(list.items[2].entry.meta().resource_version, "9");
    assert_eq!(kube::Resource::meta(&list.items[2]).resource_version.as_deref(), Some("9"));
}

#[test]
fn watch_events_decode_in_either_order_of_their_fields() {
    for event in [format!(r#"{{"type":"ADDED","object":{GOOD}}}"#), format!(r#"{{"object":{GOOD},"type":"ADDED"}}"#)] {
        let event: WatchEvent<Watched<Thing>> = serde_json::from_str(&event).unwrap();
        let WatchEvent::Added(watched) = event else { panic!("another event") };
        assert_eq!(watched.entry.object().unwrap().size, 3);
    }
}

#[test]
fn of_managed_fields_json_objects_keep_who_wrote_last() {
    let text = r#"{"metadata":{"name":"route","managedFields":[{"manager":"x","fieldsV1":{"f:spec":{}}}]},"spec":{"weight":10}}"#;
    let json: Json = serde_json::from_str(text).unwrap();
    assert_eq!(json.object_meta().name, "route");
    assert_eq!(json.value()["spec"]["weight"], 10);
    assert_eq!(json.object_meta().writer.name(), Some("x"));
    assert_eq!(json.value()["metadata"]["managedFields"], serde_json::json!([{"manager": "x"}]));
}

#[test]
fn versions_compare_as_numbers() {
    for (one, other, expected) in [
        ("9", "10", Some(Ordering::Less)),
        ("010", "10", Some(Ordering::Equal)),
        ("36893488147419103233", "36893488147419103232", Some(Ordering::Greater)),
        ("", "1", None),
        ("a1", "1", None),
    ] {
        assert_eq!(compare_versions(one, other), expected, "{one} {other}");
    }
}
