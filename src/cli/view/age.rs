//! Lengths of time as kubectl prints them: two units at most, fewer as they grow.

use std::time::Duration;

use crate::api::time::Time;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const YEAR: i64 = 365 * DAY;

/// Age at `now` of something created at `created`. What has no time of creation is as old as Go's clock allows.
pub fn age(created: Option<Time>, now: Time) -> String {
    let nanos = created.map_or(i64::MAX, |created| now.nanos().saturating_sub(created.nanos()));
    human(nanos)
}

/// A length of time in kubectl's words. Go: `k8s.io/apimachinery/pkg/util/duration.HumanDuration`.
pub fn human_duration(length: Duration) -> String {
    human(i64::try_from(length.as_nanos()).unwrap_or(i64::MAX))
}

/// Worked example: 119 s is `119s`, 120 s is `2m`, 290 s is `4m50s`, 7000 s is `116m`, 7.5 h is `7h30m`.
fn human(nanos: i64) -> String {
    let seconds = nanos / 1_000_000_000;
    if seconds < -1 {
        return "<invalid>".to_owned();
    }
    let two = |whole: i64, unit: &str, rest: i64, rest_unit: &str| {
        if rest == 0 { format!("{whole}{unit}") } else { format!("{whole}{unit}{rest}{rest_unit}") }
    };
    match seconds {
        ..0 => "0s".to_owned(),
        0..120 => format!("{seconds}s"),
        120..600 => two(seconds / MINUTE, "m", seconds % MINUTE, "s"),
        600..10_800 => format!("{}m", seconds / MINUTE),
        10_800..28_800 => two(seconds / HOUR, "h", seconds % HOUR / MINUTE, "m"),
        28_800..172_800 => format!("{}h", seconds / HOUR),
        172_800..691_200 => two(seconds / DAY, "d", seconds % DAY / HOUR, "h"),
        691_200..63_072_000 => format!("{}d", seconds / DAY),
        63_072_000..252_288_000 => two(seconds / YEAR, "y", seconds % YEAR / DAY, "d"),
        _ => format!("{}y", seconds / YEAR),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shortens_as_it_grows() {
        let cases = [
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (290, "4m50s"),
            (599, "9m59s"),
            (600, "10m"),
            (10_799, "179m"),
            (10_800, "3h"),
            (27_000, "7h30m"),
            (28_800, "8h"),
            (172_799, "47h"),
            (172_800, "2d"),
            (597_600, "6d22h"),
            (691_200, "8d"),
            (63_072_000, "2y"),
            (63_158_400, "2y1d"),
            (252_288_000, "8y"),
        ];
        for (seconds, text) in cases {
            assert_eq!(human_duration(Duration::from_secs(seconds)), text, "{seconds}");
        }
    }

    #[test]
    fn of_clocks_that_differ_and_of_nothing() {
        let now = Time::from_seconds(1_000);
        assert_eq!(age(Some(Time::from_seconds(1_001)), now), "0s");
        assert_eq!(age(Some(Time::from_seconds(1_003)), now), "<invalid>");
        assert_eq!(age(None, now), "292y");
    }
}
