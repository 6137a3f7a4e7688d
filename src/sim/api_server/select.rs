//! Label and field selectors.

use serde_json::Value;

use super::kinds::ResourceDef;
use super::reject::Reject;
use crate::sim::object;

enum Test {
    Equal(String),
    NotEqual(String),
    In(Vec<String>),
    NotIn(Vec<String>),
    Exists,
    Absent,
}

/// A parsed pair of selectors; the default selects everything.
#[derive(Default)]
pub(crate) struct Selector {
    labels: Vec<(String, Test)>,
    fields: Vec<(String, Test)>,
}

impl Selector {
    pub fn parse(labels: &str, fields: &str, def: &ResourceDef) -> Result<Self, Reject> {
        let mut selector = Self::default();
        for term in split_terms(labels) {
            selector.labels.push(label_term(term)?);
        }
        for term in split_terms(fields) {
            let (field, test) = label_term(term)?;
            if !is_supported(def, &field) {
                return Err(Reject::bad_request(format!("field label not supported: {field}")));
            }
            selector.fields.push((field, test));
        }
        Ok(selector)
    }

    pub fn matches(&self, object: &Value) -> bool {
        let field = |path: &str| {
            let pointer = format!("/{}", path.replace('.', "/"));
            // A field that is not set selects as the empty text.
            Some(object::text(object, &pointer).to_owned())
        };
        self.labels.iter().all(|(key, test)| test.holds(object::label(object, key)))
            && self.fields.iter().all(|(path, test)| test.holds(field(path).as_deref()))
    }
}

impl Test {
    fn holds(&self, value: Option<&str>) -> bool {
        let among = |set: &[String]| value.is_some_and(|value| set.iter().any(|member| member == value));
        match self {
            Self::Equal(wanted) => value == Some(wanted),
            Self::NotEqual(unwanted) => value != Some(unwanted),
            Self::In(set) => among(set),
            Self::NotIn(set) => !among(set),
            Self::Exists => value.is_some(),
            Self::Absent => value.is_none(),
        }
    }
}

/// Whether a `LabelSelector` (`matchLabels`, `matchExpressions`) takes the object in; an empty one takes in everything.
pub(crate) fn label_selector(selector: &Value, object: &Value) -> bool {
    let labels = selector.pointer("/matchLabels").and_then(Value::as_object).into_iter().flatten();
    let mut labels = labels.map(|(key, value)| object::label(object, key) == value.as_str());
    let expression = |term: &Value| {
        let set: Vec<String> =
            object::list(term, "/values").iter().filter_map(Value::as_str).map(str::to_owned).collect();
        let test = match object::text(term, "/operator") {
            "In" => Test::In(set),
            "NotIn" => Test::NotIn(set),
            "Exists" => Test::Exists,
            "DoesNotExist" => Test::Absent,
            _ => return false,
        };
        test.holds(object::label(object, object::text(term, "/key")))
    };
    labels.all(|fits| fits) && object::list(selector, "/matchExpressions").iter().all(expression)
}

/// Splits at commas outside parentheses.
fn split_terms(text: &str) -> Vec<&str> {
    let mut depth = 0_i32;
    let terms = text.split(move |c: char| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        c == ',' && depth == 0
    });
    terms.map(str::trim).filter(|term| !term.is_empty()).collect()
}

fn label_term(term: &str) -> Result<(String, Test), Reject> {
    let own = |text: &str| text.trim().to_owned();
    if let Some(key) = term.strip_prefix('!') {
        return Ok((own(key), Test::Absent));
    }
    if let Some((key, value)) = term.split_once("!=") {
        return Ok((own(key), Test::NotEqual(own(value))));
    }
    if let Some((key, value)) = term.split_once('=') {
        return Ok((own(key), Test::Equal(own(value.trim_start_matches('=')))));
    }
    let Some((head, set)) = term.split_once('(') else {
        return if term.contains(' ') { Err(unreadable(term)) } else { Ok((own(term), Test::Exists)) };
    };
    let set: Vec<String> = set.trim_end_matches(')').split(',').map(own).collect();
    match head.split_whitespace().collect::<Vec<_>>().as_slice() {
        [key, "in"] => Ok((own(key), Test::In(set))),
        [key, "notin"] => Ok((own(key), Test::NotIn(set))),
        _ => Err(unreadable(term)),
    }
}

fn unreadable(term: &str) -> Reject {
    Reject::bad_request(format!("unable to parse requirement: {term:?} is no selector"))
}

/// The field labels that the real API server knows for each kind.
fn is_supported(def: &ResourceDef, field: &str) -> bool {
    if matches!(field, "metadata.name" | "metadata.namespace") {
        return true;
    }
    match def.resource().as_str() {
        "pods" => matches!(field, "status.phase" | "spec.nodeName" | "spec.restartPolicy" | "status.podIP"),
        "events" => field.starts_with("involvedObject.") || matches!(field, "reason" | "type" | "source"),
        "namespaces" => field == "status.phase",
        "secrets" => field == "type",
        "replicasets.apps" => field == "status.replicas",
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn holds(labels: &str, fields: &str) -> bool {
        let pod =
            json!({"metadata": {"name": "a", "labels": {"app": "web", "x/y": "1"}}, "status": {"phase": "Running"}});
        let def = ResourceDef::new("", "v1", "Pod", "pods");
        Selector::parse(labels, fields, &def).unwrap().matches(&pod)
    }

    #[test]
    fn labels_select() {
        let yes = ["", "app", "app=web", "app==web", "app in (web, db)", "x/y=1,app!=db", "!none", "none notin (a)"];
        assert!(yes.iter().all(|text| holds(text, "")));
        let no = ["none", "app=db", "app notin (web,db)", "!app", "app in (db)", "app=web,x/y=2"];
        assert!(no.iter().all(|text| !holds(text, "")));
    }

    #[test]
    fn fields_select_or_are_refused() {
        assert!(holds("", "metadata.name=a,status.phase!=Failed"));
        assert!(!holds("", "spec.nodeName=n1"));
        let def = ResourceDef::new("argoproj.io", "v1alpha1", "Rollout", "rollouts");
        assert_eq!(Selector::parse("", "spec.nodeName=n1", &def).err().unwrap().code, 400);
    }
}
