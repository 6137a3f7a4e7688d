//! Short texts that several screens share.

use std::time::Duration;

use crate::cli::view::rollout::rollout_info;
use crate::cli::view::weight;
use crate::demo::facts::{Facts, Measured};
use crate::demo::scenes::{Beat, Deed};

/// What a person would type for a beat.
pub fn command(beat: &Beat) -> String {
    match beat.deed {
        Deed::Command(words) | Deed::Confirmed(words) => format!("siskin {}", words.join(" ")),
        Deed::Patch(_, typed) => typed.to_owned(),
    }
}

/// `12.3 s`.
pub fn seconds(span: Duration) -> String {
    format!("{:.1} s", span.as_secs_f64())
}

/// A share in whole percent, rounded.
pub fn percent(part: u64, whole: u64) -> u64 {
    (part * 100 + whole / 2).checked_div(whole).unwrap_or(0)
}

/// `Progressing, step 2/6, weight 10 %`.
pub fn state(facts: &Facts) -> String {
    let phase = &facts.phase;
    let mut text = phase.phase.to_owned();
    if !phase.message.is_empty() {
        text = format!("{text}: {}", phase.message);
    }
    let Some(rollout) = facts.rollout() else { return text };
    if let Some(step) = weight::step(rollout) {
        text = format!("{text}; step {step}, weight {} %", rollout_info(rollout, &facts.objects).set_weight);
    }
    text
}

/// `96.7 %` for a ratio such as `[0.967]`; other values as they are.
pub fn value(measured: &Measured) -> String {
    let bare = measured.value.trim_start_matches('[').trim_end_matches(']');
    match bare.parse::<f64>() {
        Ok(ratio) if ratio.is_finite() => format!("{:.1} %", ratio * 100.0),
        _ if bare.is_empty() => "nothing".to_owned(),
        _ => bare.to_owned(),
    }
}
