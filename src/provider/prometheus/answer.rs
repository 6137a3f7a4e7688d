//! What a Prometheus answers, from bytes to numbers. Source: Prometheus' HTTP API v1 and its Go client.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::provider::judgement::Sample;

/// Why an answer gives no numbers. The texts are those of Prometheus' Go client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum AnswerError {
    /// A status code that says no.
    #[error("client_error: client error: {0}")]
    Client(u16),
    /// A status code that says that the server failed.
    #[error("server_error: server error: {0}")]
    Server(u16),
    /// Any other status code.
    #[error("bad_response: bad response code {0}")]
    Code(u16),
    /// The body says no.
    #[error("{kind}: {message}")]
    Refused {
        /// Kind of error, such as `bad_data`.
        kind: String,
        /// The server's text.
        message: String,
    },
    /// The body is not what the API promises.
    #[error("bad_response: {0}")]
    Shape(String),
    /// The query gave something other than numbers.
    #[error("Prometheus metric type not supported")]
    Type,
}

/// Numbers, as they are judged and as they are shown.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answer {
    /// For the conditions.
    pub sample: Sample,
    /// For people.
    pub value: String,
    /// What the server thinks of the query.
    pub warnings: Vec<String>,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(default)]
    status: String,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
    #[serde(default, rename = "errorType")]
    error_type: String,
    #[serde(default)]
    error: String,
    #[serde(default)]
    warnings: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(rename = "resultType")]
    kind: String,
    #[serde(borrow)]
    result: &'a RawValue,
}

/// A time, and a number as text.
type Pair = (IgnoredAny, String);

#[derive(Deserialize)]
struct Series {
    #[serde(default)]
    value: Option<Pair>,
    #[serde(default)]
    values: Vec<Pair>,
    #[serde(default)]
    histogram: Option<IgnoredAny>,
    #[serde(default)]
    histograms: Vec<IgnoredAny>,
}

/// Codes that Prometheus sends together with an explanation in the body.
const fn explained(status: u16) -> bool {
    matches!(status, 400 | 422)
}

/// Reads an answer.
pub(super) fn read_answer(status: u16, body: &[u8]) -> Result<Answer, AnswerError> {
    if !explained(status) {
        match status / 100 {
            2 => {}
            4 => return Err(AnswerError::Client(status)),
            5 => return Err(AnswerError::Server(status)),
            _ => return Err(AnswerError::Code(status)),
        }
    }
    let envelope: Envelope<'_> = serde_json::from_slice(body).map_err(|error| shape(&error))?;
    if envelope.status == "error" {
        return Err(AnswerError::Refused { kind: envelope.error_type, message: envelope.error });
    }
    if explained(status) {
        return Err(AnswerError::Shape("inconsistent body for response code".to_owned()));
    }
    if envelope.status != "success" {
        return Err(AnswerError::Shape(format!("status is {:?}, not \"success\"", envelope.status)));
    }
    let data = envelope.data.ok_or_else(|| AnswerError::Shape("the answer holds no data".to_owned()))?;
    let data: Data<'_> = serde_json::from_str(data.get()).map_err(|error| shape(&error))?;
    let (sample, value) = read_data(&data)?;
    Ok(Answer { sample, value, warnings: envelope.warnings.unwrap_or_default() })
}

fn shape(error: &serde_json::Error) -> AnswerError {
    AnswerError::Shape(error.to_string())
}

fn read_data(data: &Data<'_>) -> Result<(Sample, String), AnswerError> {
    let result = data.result.get();
    match data.kind.as_str() {
        "scalar" => {
            let pair: Pair = serde_json::from_str(result).map_err(|error| shape(&error))?;
            let number = number(&pair)?;
            Ok((Sample::Number(number), text(number)))
        }
        "vector" | "matrix" => {
            let series: Vec<Option<Series>> = serde_json::from_str(result).map_err(|error| shape(&error))?;
            let mut numbers = Vec::new();
            for series in series.into_iter().flatten() {
                // A native histogram is no number; taking it for 0 would be an invention.
                if series.histogram.is_some() || !series.histograms.is_empty() {
                    return Err(AnswerError::Type);
                }
                for pair in series.value.iter().chain(&series.values) {
                    numbers.push(number(pair)?);
                }
            }
            let texts: Vec<String> = numbers.iter().copied().map(text).collect();
            Ok((Sample::List(numbers), format!("[{}]", texts.join(","))))
        }
        "string" => Err(AnswerError::Type),
        other => Err(AnswerError::Shape(format!("unexpected value type {other:?}"))),
    }
}

fn number((_, text): &Pair) -> Result<f64, AnswerError> {
    text.parse().map_err(|_| AnswerError::Shape(format!("{text:?} is not a number")))
}

/// A number as Prometheus prints it: never with an exponent.
fn text(number: f64) -> String {
    if number.is_infinite() { if number > 0.0 { "+Inf" } else { "-Inf" }.to_owned() } else { number.to_string() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(kind: &str, result: &str) -> Result<(Sample, String), String> {
        let body = format!(r#"{{"status":"success","data":{{"resultType":"{kind}","result":{result}}}}}"#);
        read_answer(200, body.as_bytes()).map(|answer| (answer.sample, answer.value)).map_err(|error| error.to_string())
    }

    #[test]
    fn every_shape_of_result() {
        assert_eq!(read("scalar", r#"[1.5,"0.25"]"#), Ok((Sample::Number(0.25), "0.25".to_owned())));
        let vector = r#"[{"metric":{"a":"b"},"value":[1,"1e21"]},null,{"metric":{},"value":[1,"-0.5"]}]"#;
        let listed = "[1000000000000000000000,-0.5]".to_owned();
        assert_eq!(read("vector", vector), Ok((Sample::List(vec![1e21, -0.5]), listed)));
        let matrix = r#"[{"values":[[1,"1"],[2,"2"]]},{"values":[[1,"3"]]}]"#;
        assert_eq!(read("matrix", matrix), Ok((Sample::List(vec![1.0, 2.0, 3.0]), "[1,2,3]".to_owned())));
        assert_eq!(read("vector", "[]"), Ok((Sample::List(vec![]), "[]".to_owned())));
        let (_, shown) = read("vector", r#"[{"value":[1,"+Inf"]},{"value":[1,"-Inf"]},{"value":[1,"NaN"]}]"#).unwrap();
        assert_eq!(shown, "[+Inf,-Inf,NaN]");
        assert_eq!(read("string", r#"[1,"x"]"#), Err("Prometheus metric type not supported".to_owned()));
        assert_eq!(read("odd", "1"), Err("bad_response: unexpected value type \"odd\"".to_owned()));
        assert!(read("vector", r#"[{"histogram":[1,{"count":"3"}]}]"#).is_err());
        for (kind, result) in
            [("scalar", r#"[1,"x"]"#), ("scalar", "[1,2]"), ("vector", "{}"), ("vector", r#"[{"value":[1]}]"#)]
        {
            assert!(read(kind, result).unwrap_err().starts_with("bad_response: "), "{kind} {result}");
        }
    }

    #[test]
    fn every_refusal() {
        let refusal = |status, body: &str| read_answer(status, body.as_bytes()).unwrap_err().to_string();
        let explained = r#"{"status":"error","errorType":"bad_data","error":"parse error"}"#;
        assert_eq!(refusal(400, explained), "bad_data: parse error");
        assert_eq!(refusal(422, explained), "bad_data: parse error");
        assert_eq!(refusal(200, explained), "bad_data: parse error");
        assert_eq!(refusal(404, explained), "client_error: client error: 404");
        assert_eq!(refusal(503, ""), "server_error: server error: 503");
        assert_eq!(refusal(302, ""), "bad_response: bad response code 302");
        assert_eq!(refusal(400, r#"{"status":"success"}"#), "bad_response: inconsistent body for response code");
        for body in ["", "<html>", "{}", "[]", "null", r#"{"status":"success"}"#, r#"{"status":"success","data":null}"#]
        {
            assert!(refusal(200, body).starts_with("bad_response: "), "{body}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(status in 100_u16..600, body in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = read_answer(status, &body);
        }

        #[test]
        fn numbers_survive(numbers in prop::collection::vec(any::<f64>().prop_filter("", |n| !n.is_nan()), 0..8)) {
            let items: Vec<String> = numbers.iter().map(|n| format!(r#"{{"value":[1,"{}"]}}"#, text(*n))).collect();
            let (sample, _) = read("vector", &format!("[{}]", items.join(","))).unwrap();
            prop_assert_eq!(sample, Sample::List(numbers));
        }
    }
}
