use std::path::Path;

use super::*;

#[test]
fn checked_in_files_are_up_to_date() {
    for file in files().unwrap() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/rbac").join(file.name);
        let stored = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(stored == file.text, "{} is out of date: run `siskin rbac --dir config/rbac`", file.name);
    }
}

#[test]
fn no_secret_is_readable_beyond_a_namespace() {
    for right in CONTROLLER.iter().chain(OPTIONAL.iter().flat_map(|(_, rights)| *rights)) {
        assert!(!right.resources.contains(&"secrets"), "{}", right.why);
        assert!(!right.resources.contains(&"*") && !right.verbs.contains(&"*") && !right.groups.contains(&"*"));
    }
    assert!(optional("secrets", None).is_err());
    let granted = optional("secrets", Some("shop")).unwrap();
    assert!(granted.contains("kind: Role\n") && granted.contains("namespace: shop\n"), "{granted}");
    assert!(!granted.contains("ClusterRole"));
}

#[test]
fn definitions_are_read_by_name_alone() {
    let rights: Vec<&Right> =
        CONTROLLER.iter().filter(|right| right.resources.contains(&"customresourcedefinitions")).collect();
    assert_eq!(rights.len(), 1);
    assert_eq!(
        rules(&[right("", rights[0].groups, rights[0].resources, rights[0].verbs).only(rights[0].names)]),
        json!([
            {"apiGroups": ["apiextensions.k8s.io"], "resources": ["customresourcedefinitions"], "verbs": ["get"],
             "resourceNames": ["rollouts.argoproj.io"]}
        ])
    );
}

#[test]
fn opt_ins_have_names() {
    for (name, _) in OPTIONAL {
        assert!(optional(name, None).unwrap().contains(&format!("name: argo-rollouts-{name}\n")), "{name}");
    }
    assert_eq!(
        optional("istoi", None).unwrap_err().render(crate::cli::failure::Dialect::Siskin).lines().last(),
        Some("  Did you mean \"istio\"?")
    );
}
