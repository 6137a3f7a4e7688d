//! What merges how: by the schema of a definition, or by what is known of Kubernetes' own kinds.

use serde_json::{Value, json};

use super::super::kinds::ResourceDef;

/// How two values at one place come together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Field by field.
    Granular,
    /// As one value.
    Atomic,
    /// A list of scalars, each its own.
    Set,
    /// A list of maps that these fields tell apart.
    Keyed(Keys),
}

/// The key fields of a list; the second may be absent.
pub(crate) type Keys = (&'static str, &'static str);

/// What is known about one place of an object.
#[derive(Clone, Copy)]
pub(crate) enum Guide<'a> {
    /// Built-in kinds and all metadata: by the name of the field and of the one around it.
    Named(&'a str, &'a str),
    /// Custom kinds: by schema.
    Schema(&'a Value),
    /// Where a schema says nothing: maps by field, lists as one.
    Free,
}

/// Lists of maps in built-in kinds. Source: the `listMapKey` markers of `k8s.io/api`.
const KEYED: &[(&str, &str, Keys)] = &[
    ("", "containers", ("name", "")),
    ("", "initContainers", ("name", "")),
    ("", "ephemeralContainers", ("name", "")),
    ("", "volumes", ("name", "")),
    ("", "env", ("name", "")),
    ("", "imagePullSecrets", ("name", "")),
    ("", "volumeMounts", ("mountPath", "")),
    ("", "volumeDevices", ("devicePath", "")),
    ("", "conditions", ("type", "")),
    ("", "ownerReferences", ("uid", "")),
    ("", "hostAliases", ("ip", "")),
    ("", "podIPs", ("ip", "")),
    ("", "topologySpreadConstraints", ("topologyKey", "whenUnsatisfiable")),
    ("spec", "ports", ("port", "protocol")),
    ("", "ports", ("containerPort", "protocol")),
];
/// Maps of built-in kinds that are one value.
const ATOMIC: &[&str] = &[
    "selector",
    "nodeSelector",
    "labelSelector",
    "namespaceSelector",
    "podSelector",
    "fieldRef",
    "resourceFieldRef",
    "configMapKeyRef",
    "secretKeyRef",
    "scaleTargetRef",
    "targetRef",
    "involvedObject",
];

impl<'a> Guide<'a> {
    /// The guide of a whole object.
    pub fn of(def: &'a ResourceDef) -> Self {
        match &def.schema {
            Some(schema) => Self::Schema(schema),
            None if def.is_built_in() => Self::Named("", ""),
            None => Self::Free,
        }
    }

    /// Below a field. Metadata is the same in all kinds.
    pub fn field(self, name: &'a str, is_root: bool) -> Self {
        match self {
            _ if is_root && name == "metadata" => Self::Named("", "metadata"),
            Self::Named(_, parent) => Self::Named(parent, name),
            Self::Schema(schema) => {
                let known = schema.get("properties").and_then(|fields| fields.get(name));
                known.or_else(|| schema.get("additionalProperties")).map_or(Self::Free, Self::Schema)
            }
            Self::Free => Self::Free,
        }
    }

    /// Below a list.
    pub fn item(self) -> Self {
        match self {
            // Fields of an item stand below the item, not below what its list stands in.
            Self::Named(_, name) => Self::Named(name, ""),
            Self::Schema(schema) => schema.get("items").map_or(Self::Free, Self::Schema),
            Self::Free => Self::Free,
        }
    }

    pub fn form(self, value: &Value) -> Form {
        match (self, value) {
            (Self::Schema(schema), Value::Object(_)) => {
                let atomic = schema.get("x-kubernetes-map-type") == Some(&json!("atomic"));
                if atomic { Form::Atomic } else { Form::Granular }
            }
            (Self::Schema(schema), Value::Array(_)) => schema_list(schema),
            (Self::Named(_, name), Value::Object(_)) => {
                if ATOMIC.contains(&name) {
                    Form::Atomic
                } else {
                    Form::Granular
                }
            }
            (Self::Named(_, "finalizers"), Value::Array(_)) => Form::Set,
            (Self::Named(parent, name), Value::Array(_)) => {
                let known =
                    KEYED.iter().find(|(below, list, _)| *list == name && (below.is_empty() || *below == parent));
                known.map_or(Form::Atomic, |(_, _, keys)| Form::Keyed(*keys))
            }
            (Self::Free, Value::Object(_)) => Form::Granular,
            _ => Form::Atomic,
        }
    }
}

fn schema_list(schema: &Value) -> Form {
    let keys = schema.get("x-kubernetes-list-map-keys").and_then(Value::as_array);
    // Definitions in use have one or two keys, of a few names; a list with others is replaced as a whole.
    let known = |index: usize| {
        let name = keys.and_then(|keys| keys.get(index)?.as_str()).unwrap_or_default();
        ["", "name", "type", "port", "protocol", "uid", "key", "ip", "sectionName", "id"]
            .into_iter()
            .find(|known| *known == name)
    };
    match schema.get("x-kubernetes-list-type").and_then(Value::as_str) {
        Some("set") => Form::Set,
        Some("map") => match (known(0), known(1)) {
            (Some(first), Some(second)) if !first.is_empty() => Form::Keyed((first, second)),
            _ => Form::Atomic,
        },
        _ => Form::Atomic,
    }
}

/// The path element of a list item; the protocol of a port counts as TCP where it is absent.
pub(crate) fn key_of(item: &Value, (first, second): Keys) -> Option<String> {
    let mut keys = serde_json::Map::new();
    for name in [first, second].into_iter().filter(|name| !name.is_empty()) {
        match item.get(name) {
            Some(value) => drop(keys.insert(name.to_owned(), value.clone())),
            None if name == "protocol" => drop(keys.insert(name.to_owned(), json!("TCP"))),
            None if name == second => {}
            None => return None,
        }
    }
    Some(format!("k:{}", Value::Object(keys)))
}
