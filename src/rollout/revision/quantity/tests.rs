use super::*;
use serde_json::json;

fn canonical(text: &str) -> String {
    Quantity::parse(text).map_or_else(|| "refused".to_owned(), |q| q.to_string())
}

/// What apimachinery v0.34 answers for each text.
#[rustfmt::skip]
const CANONICAL: &[(&str, &str)] = &[
    ("0", "0"), ("00", "0"), ("-0", "0"), ("+5", "+5"), ("-5", "-5"),
    ("0005", "0005"), ("1.500", "1.500"), ("1500m", "1500m"), ("0.1", "100m"), ("0.10", "100m"),
    ("1024Mi", "1Gi"), ("1Gi", "1Gi"), ("1.5Gi", "1536Mi"), ("1536Mi", "1536Mi"), ("1028Ki", "1028Ki"),
    ("1030Ki", "1030Ki"), ("1023Ki", "1023Ki"), ("512", "512"), ("1023", "1023"), ("1024", "1024"),
    ("1025", "1025"), ("1Ki", "1Ki"), ("0.5Ki", "512"), ("0.5Gi", "512Mi"), ("0.1Gi", "107374182400m"),
    ("1.1Gi", "1181116006400m"), ("1e3", "1e3"), ("1E3", "1E3"), ("1e-3", "1e-3"), ("1e4", "10e3"),
    ("12e5", "1200e3"), ("1e100", "10e99"), ("1e", "refused"), ("e3", "0"), ("m", "0"),
    ("-", "0"), ("+", "0"), ("", "refused"), (".", "0"), ("1.", "1."),
    ("1.G", "1.G"), (".5", "500m"), (".5Gi", "512Mi"), ("1000m", "1"), ("1000", "1k"),
    ("1000k", "1M"), ("1000000", "1M"), ("1000G", "1T"), ("1000E", "1"), ("1E", "1E"),
    ("1Ei", "1Ei"), ("8Ei", "9223372036854775807"), ("16Ei", "9223372036854775807"), ("7Ei", "7Ei"), ("9223372036854775807", "9223372036854775807"),
    ("9223372036854775808", "9223372036854775808"), ("99999999999999999999", "99999999999999999999"), ("1n", "1n"), ("0.1n", "1n"), ("0.5n", "1n"),
    ("1.5n", "2n"), ("100n", "100n"), ("1000n", "1u"), ("1u", "1u"), ("0.0000000001", "1n"),
    ("0.0000000001Gi", "107374183n"), ("-1Gi", "-1Gi"), ("-1024", "-1024"), ("-1500m", "-1500m"), ("-0.5Gi", "-512Mi"),
    ("3.14159", "3141590u"), ("1 Gi", "refused"), (" 1", "refused"), ("1K", "refused"), ("1mi", "refused"),
    ("1gi", "refused"), ("0Gi", "0"), ("0m", "0"), ("0.000", "0"), ("000.5", "500m"),
    ("1.000", "1"), ("1.0000", "1"), ("12.340", "12.340"), ("123456789012345678", "123456789012345678"), ("1234567890123456789", "1234567890123456789"),
    ("12345678901234567890m", "12345678901234567890m"), ("1.23456789012345678", "1234567891n"), ("0.001", "1m"), ("0.0010", "1m"), ("1500", "1500"),
    ("15000", "15k"), ("150000", "150k"), ("1e1", "10"), ("1e2", "100"), ("100e1", "1e3"),
    ("1e-1", "100e-3"), ("1.5e3", "1500"), ("1e0", "1e0"), ("2048Ki", "2Mi"), ("1048576", "1048576"),
    ("1048576Ki", "1Gi"), ("1536Ki", "1536Ki"), ("100Mi", "100Mi"), ("3Gi", "3Gi"), ("10Gi", "10Gi"),
    ("2.5Ti", "2560Gi"), ("1Pi", "1Pi"), ("0.3Mi", "314572800m"), ("1.0Gi", "1Gi"), ("5.0Mi", "5Mi"),
    ("2.000Gi", "2Gi"), ("500M", "500M"), ("1.5M", "1500k"), ("128974848", "128974848"), ("129e6", "129e6"),
    ("129M", "129M"), ("123Mi", "123Mi"), ("1073741824", "1073741824"), ("2e-10", "1e-9"), ("1e-9", "1e-9"),
    ("1e-12Gi", "refused"),
];

#[test]
fn canonical_texts_are_those_of_kubernetes() {
    for (text, want) in CANONICAL {
        assert_eq!(canonical(text), *want, "{text:?}");
    }
}

#[test]
fn quantities_compare_by_value() {
    let order = ["-1Gi", "-1", "0", "1n", "1m", "999m", "1", "1k", "1Ki", "1M", "1Mi", "1e9", "1Gi", "1E", "1e300"];
    let parsed: Vec<_> = order.iter().map(|text| Quantity::parse(text).unwrap()).collect();
    for (i, a) in parsed.iter().enumerate() {
        for (j, b) in parsed.iter().enumerate() {
            assert_eq!(a.cmp(b), i.cmp(&j), "{a} against {b}");
        }
    }
    for (a, b) in [("1000m", "1"), ("1Gi", "1024Mi"), ("0", "0Ki"), ("1e3", "1k"), ("0.5", "500m")] {
        assert_eq!(Quantity::parse(a), Quantity::parse(b), "{a} and {b}");
    }
}

#[test]
fn numbers_and_padded_text_are_read_too() {
    assert_eq!(Quantity::from_json(&json!(2)).unwrap().to_string(), "2");
    assert_eq!(Quantity::from_json(&json!(0.5)).unwrap().to_string(), "500m");
    assert_eq!(Quantity::from_json(&json!(" 1Gi ")).unwrap().to_string(), "1Gi");
    assert!(Quantity::from_json(&json!(true)).is_none());
}

#[test]
fn whole_and_milli_values_are_told_apart() {
    let multiple = |text: &str, step| Quantity::parse(text).unwrap().is_multiple_of(step);
    assert!(multiple("2", 0) && multiple("1Gi", 0) && multiple("1000m", 0) && multiple("1500m", -3));
    assert!(!multiple("1500m", 0) && !multiple("0.5m", -3));
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "[-+]?[0-9]{0,40}[.]?[0-9]{0,20}(|m|k|Ki|Ei|E|e-?[0-9]{1,4})") {
        if let Some(quantity) = Quantity::parse(&text) {
            let again = Quantity::parse(&quantity.to_string());
            proptest::prop_assert!(again.is_none_or(|q| q == quantity || quantity.exponent > 18));
        }
    }
}
