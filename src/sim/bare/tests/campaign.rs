//! Generated worlds, every write of every one of them checked.
//!
//! `SISKIN_CASES` sets how many, `SISKIN_SEED` which ones.

use proptest::test_runner::{Config, RngSeed, TestError, TestRunner};

use super::play::play;
use super::scenario::scenario;

const CASES: u32 = 60;

fn number<N: std::str::FromStr>(name: &str) -> Option<N> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn generated_worlds_keep_every_promise() {
    let config = Config {
        cases: number("SISKIN_CASES").unwrap_or(CASES),
        rng_seed: RngSeed::Fixed(number("SISKIN_SEED").unwrap_or(1)),
        failure_persistence: None,
        max_shrink_iters: 400,
        ..Config::default()
    };
    let result = TestRunner::new(config)
        .run(&scenario(), |scenario| play(&scenario).map_err(proptest::test_runner::TestCaseError::fail));
    match result {
        Ok(()) => {}
        Err(TestError::Fail(reason, scenario)) => panic!("{scenario:#?}\n{reason}"),
        Err(TestError::Abort(reason)) => panic!("{reason}"),
    }
}
