use proptest::prelude::*;
use serde_json::json;

use super::*;

fn arg(name: &str, value: &str) -> Argument {
    Argument { name: name.to_owned(), value: Some(value.to_owned()), value_from: None }
}

fn query(text: &str) -> Metric {
    serde_json::from_value(json!({"name": "m", "provider": {"prometheus": {"query": text}}})).unwrap()
}

fn from_secret(name: &str, secret: &str, key: &str) -> Argument {
    let value = json!({"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}});
    serde_json::from_value(value).unwrap()
}

#[test]
fn values_survive_the_way_through_json() {
    let value = "a\"b\\c\n\t\r\u{2028}é😀<&>";
    assert_eq!(metric(&query("x{{args.v}}y"), &[arg("v", value)]), Ok(query(&format!("x{value}y"))));
}

#[test]
fn the_last_of_several_counts_and_is_not_scanned_again() {
    let args = [arg("v", "1"), arg("v", "{{args.v}}")];
    assert_eq!(metric(&query("{{args.v}}"), &args), Ok(query("{{args.v}}")));
}

#[test]
fn escapes_that_json_lacks_are_refused() {
    for (value, code) in [("\u{7}", 'a'), ("\u{b}", 'v'), ("\u{1}", 'x'), ("\u{7f}", 'x'), ("\u{f0000}", 'U')] {
        let refused = metric(&query("{{args.v}}"), &[arg("v", value)]).unwrap_err();
        assert_eq!(refused.to_string(), format!("invalid character '{code}' in string escape code"));
    }
    // A backslash before such a letter is no escape of it.
    assert!(metric(&query("{{args.v}}"), &[arg("v", "\\a\\x")]).is_ok());
    // An unknown tag is reported first; a value that no tag uses does no harm.
    assert!(metric(&query("{{args.v}}{{b}}"), &[arg("v", "\u{7}")]).unwrap_err().to_string().starts_with("failed"));
    assert!(metric(&query(""), &[arg("v", "\u{7}")]).is_ok());
}

#[test]
fn a_tag_is_shown_as_the_json_holds_it() {
    let refused = metric(&query("{{ a > \"b\" }}"), &[]).unwrap_err();
    assert_eq!(refused.to_string(), "failed to resolve {{ a \\u003e \\\"b\\\" }}");
}

#[test]
fn secrets_replace_values_and_are_hidden() {
    let args = [from_secret("t", "s", "k"), arg("v", "1")];
    assert_eq!(secret_names(&args), ["s"]);
    let judged = metric(&query("{{args.t}}"), &without_secrets(&args)).unwrap();
    assert_eq!(judged, query("temp-for-secret"));
    let data = BTreeMap::from([("s".to_owned(), BTreeMap::from([("k".to_owned(), "pa\"ss".to_owned())]))]);
    let real = with_secrets(&args, &data).unwrap();
    assert_eq!(metric(&query("{{args.t}}"), &real.args), Ok(query("pa\"ss")));
    assert_eq!(real.redactor.redact("no pa\"ss, no \"pa\\\"ss\""), "no *****, no \"*****\"");
    assert!(!format!("{real:?}").contains("pa\"ss"));
    let missing = with_secrets(&[from_secret("t", "s", "zz")], &data).unwrap_err();
    assert_eq!(missing.to_string(), "key 'zz' does not exist in secret 's'");
}

#[test]
fn an_empty_secret_hides_nothing_and_a_long_one_goes_first() {
    let mut redactor = Redactor::default();
    for secret in ["", "ab", "abc"] {
        redactor.add(secret);
    }
    assert_eq!(redactor.redact("abc ab b"), "***** ***** b");
}

proptest! {
    #[test]
    fn any_printable_value_arrives_whole(value in "[ -~é世😀\n\t]{0,20}", around in "[a-z<>&\"]{0,5}") {
        let got = metric(&query(&format!("{around}{{{{ args.v }}}}")), &[arg("v", &value)]);
        prop_assert_eq!(got, Ok(query(&format!("{around}{value}"))));
    }

    #[test]
    fn never_panics(text in "[{}a-z. \"\\\\]{0,20}", value in any::<String>()) {
        let _ = metric(&query(&text), &[arg("v", &value), arg("a", "")]);
    }
}
