//! The binary as scripts meet it: its names, its exit codes, what it writes where.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail")]

use std::path::PathBuf;
use std::process::{Command, Output};

/// Runs the binary under a name, without a cluster.
fn run(name: &str, args: &[&str]) -> Output {
    let folder = std::env::temp_dir().join(format!("siskin-cli-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let link = folder.join(name);
    if std::fs::symlink_metadata(&link).is_err() {
        // Tests run at once: another may have made it meanwhile.
        let _ = std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_siskin"), &link);
    }
    Command::new(link)
        .args(args)
        .env("KUBECONFIG", "/nowhere/kubeconfig")
        .env_remove("KUBERNETES_SERVICE_HOST")
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn answers_to_three_names() {
    for (name, usage) in [
        ("siskin", "Usage: siskin get"),
        ("kubectl-siskin", "Usage: kubectl siskin promote"),
        ("kubectl-argo-rollouts", "Usage: kubectl argo rollouts promote"),
    ] {
        let verb = if name == "siskin" { "get" } else { "promote" };
        let output = run(name, &[verb, "--help"]);
        assert!(output.status.success());
        assert!(text(&output.stdout).contains(usage), "{name}: {}", text(&output.stdout));
    }
}

#[test]
fn every_verb_has_help_with_examples() {
    let help = text(&run("siskin", &["--help"]).stdout);
    let verbs: Vec<&str> = help
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next())
        .filter(|verb| *verb != "help")
        .collect();
    assert!(verbs.len() >= 14, "{verbs:?}");
    for verb in verbs {
        let output = run("siskin", &[verb, "--help"]);
        assert!(output.status.success(), "{verb}");
        // These two are not for the hands of people who meet Rollouts.
        let is_exempt = ["version", "controller"].contains(&verb);
        assert!(is_exempt || text(&output.stdout).contains("Examples:"), "{verb} has no examples");
    }
}

#[test]
fn errors_go_to_stderr_with_exit_code_1() {
    for args in
        [&["promote"][..], &["nonsense"], &["get"], &["set", "image", "a", "b"], &["list", "rollouts"], &["lint"]]
    {
        let output = run("kubectl-argo-rollouts", args);
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        assert_eq!(text(&output.stdout), "", "{args:?}");
        assert!(!output.stderr.is_empty(), "{args:?}");
    }
}

#[test]
fn without_a_kubeconfig_says_where_it_looked() {
    let stderr = text(&run("siskin", &["list", "rollouts"]).stderr);
    assert!(stderr.starts_with("Error: no usable kubeconfig"), "{stderr}");
    assert!(stderr.contains("$KUBECONFIG (/nowhere/kubeconfig)"), "{stderr}");
    let stderr = text(&run("siskin", &["--kubeconfig", "/not/there", "list", "rollouts"]).stderr);
    assert!(stderr.contains("--kubeconfig /not/there"), "{stderr}");
}

#[test]
fn prints_definitions_and_roles() {
    let crds = text(&run("siskin", &["crds"]).stdout);
    assert_eq!(crds.matches("kind: CustomResourceDefinition").count(), 5);
    let rbac = text(&run("siskin", &["rbac"]).stdout);
    assert_eq!(rbac.matches("kind: ClusterRoleBinding").count(), 1);
    let optional = run("siskin", &["rbac", "--with", "istio"]);
    assert!(text(&optional.stdout).contains("virtualservices"));
    assert_eq!(run("siskin", &["rbac", "--with", "secrets"]).status.code(), Some(1));
}

#[test]
fn lint_reads_files_and_counts() {
    let sample = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("config/samples/canary-gateway-prometheus.yaml");
    let sample = sample.to_str().unwrap();
    let output = run("siskin", &["lint", "-f", sample]);
    assert!(output.status.success(), "{}", text(&output.stdout));
    assert_eq!((text(&output.stdout).as_str(), text(&output.stderr).as_str()), ("", "5 objects, nothing wrong\n"));
    let output = run("kubectl-argo-rollouts", &["lint", "-f", sample]);
    assert_eq!((text(&output.stdout).as_str(), text(&output.stderr).as_str()), ("", ""));
    let broken = std::env::temp_dir().join(format!("siskin-broken-{}.yaml", std::process::id()));
    std::fs::write(&broken, std::fs::read_to_string(sample).unwrap().replace("setWeight: 5\n", "setWieght: 5\n"))
        .unwrap();
    let output = run("siskin", &["lint", "-f", broken.to_str().unwrap(), "--output", "json"]);
    std::fs::remove_file(&broken).unwrap();
    assert_eq!(output.status.code(), Some(1));
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found[0]["path"], "spec.strategy.canary.steps[0].setWieght");
    assert_eq!(found[0]["fix"], "did you mean \"setWeight\"?");
    assert_eq!(found.as_array().unwrap().len(), 1, "{found}");
}

#[test]
fn a_simulation_tells_its_end_by_the_exit_code() {
    let sample = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("config/samples/canary-gateway-prometheus.yaml");
    let sample = sample.to_str().unwrap();
    for (more, code, told) in [
        (&["--output", "json"][..], 0, "\"outcome\": \"finished\""),
        (&["--version-behaviour", "canary:errors=20%"][..], 2, "Aborted after"),
        (&["--until", "30s"][..], 2, "Not finished after 30 s"),
    ] {
        let output = run("siskin", &[&["simulate", "-f", sample], more].concat());
        assert_eq!(output.status.code(), Some(code), "{more:?}: {}", text(&output.stderr));
        assert!(text(&output.stdout).contains(told), "{more:?}: {}", text(&output.stdout));
        assert!(output.stderr.is_empty(), "{}", text(&output.stderr));
    }
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/sim/regressions/abort-out-of-sight.json");
    let replayed = run("siskin", &["simulate", "--trace", "--script", script.to_str().unwrap()]);
    assert_eq!(replayed.status.code(), Some(0), "{}", text(&replayed.stderr));
    assert!(text(&replayed.stdout).contains("rollouts-controller Create ReplicaSet shop-"));
    assert!(text(&replayed.stdout).contains("every promise is kept, "));
    let mistaken = run("siskin", &["simulate", "--script", sample]);
    assert_eq!(mistaken.status.code(), Some(1));
    assert!(text(&mistaken.stderr).contains("is no script of the fault search"), "{}", text(&mistaken.stderr));
    for (more, told) in [
        (["--fault", "x"], "there is no fault \"x\""),
        (["--to-image", "nobody=x:1"], "no container \"nobody\""),
        (["--load", "much"], "is no rate"),
    ] {
        let output = run("siskin", &[&["simulate", "-f", sample][..], &more[..]].concat());
        assert_eq!(output.status.code(), Some(1), "{more:?}");
        assert!(text(&output.stderr).contains(told), "{more:?}: {}", text(&output.stderr));
    }
}
