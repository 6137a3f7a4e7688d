use serde_json::{Value, json};

use super::*;

fn spec(value: Value) -> AnalysisTemplateSpec {
    serde_json::from_value(value).unwrap()
}

fn reference(name: &str, cluster: bool) -> TemplateRef {
    TemplateRef { template_name: name.to_owned(), cluster_scope: cluster }
}

fn names(templates: &Templates<'_>) -> Vec<String> {
    templates.all().flat_map(|spec| &spec.metrics).map(|metric| metric.name.clone()).collect()
}

#[test]
fn nested_templates_come_depth_first_and_once() {
    let nested = |names: &[(&str, bool)]| {
        let list: Vec<Value> =
            names.iter().map(|(name, cluster)| json!({"templateName": name, "clusterScope": cluster})).collect();
        json!(list)
    };
    let a = spec(json!({"metrics": [{"name": "a"}], "templates": nested(&[("b", false), ("c", true)])}));
    let b = spec(json!({"metrics": [{"name": "b"}], "templates": nested(&[("a", false), ("d", false)])}));
    let c = spec(json!({"metrics": [{"name": "c"}]}));
    let d = spec(json!({"metrics": [{"name": "d"}]}));
    let lookup = |wanted: &TemplateRef| match (wanted.template_name.as_str(), wanted.cluster_scope) {
        ("a", false) => Some(&a),
        ("b", false) => Some(&b),
        ("c", true) => Some(&c),
        ("d", false) => Some(&d),
        _ => None,
    };
    let refs = [reference("a", false), reference("d", false)];
    assert_eq!(names(&Templates::collect(&refs, &lookup).unwrap()), ["a", "b", "d", "c"]);
    let missing = |name, cluster| Templates::collect(&[reference(name, cluster)], &lookup).unwrap_err().to_string();
    assert_eq!(missing("c", false), "analysistemplate.argoproj.io \"c\" not found");
    assert_eq!(missing("a", true), "clusteranalysistemplate.argoproj.io \"a\" not found");
}

#[test]
fn endless_references_are_refused() {
    let refs: Vec<TemplateRef> = (0..=MAX_TEMPLATES).map(|n| reference(&n.to_string(), false)).collect();
    let empty = AnalysisTemplateSpec::default();
    assert_eq!(Templates::collect(&refs, &|_| Some(&empty)).unwrap_err(), ComposeError::TooMany);
}
