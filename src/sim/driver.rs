//! Moves a cluster with tokio's time: real, sped up, or paused in tests.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::clock::ManualClock;
use super::cluster::Cluster;

/// How often the cluster is ticked, in its own time.
pub const STEP: Duration = Duration::from_millis(20);
/// The shortest sleep: at higher speeds each tick covers more than [`STEP`].
const MIN_SLEEP: Duration = Duration::from_millis(1);

/// The most that one tick covers, in steps: more would show in one moment what happens over a while. Where the computer
/// was busy for longer, time has stood still in the cluster.
const MOST: u32 = 10;

/// Ticks the cluster until the future is dropped. `clock` must be the cluster's; it goes `speed` times (0.001 to 1000)
/// as fast as tokio's, or slower where the computer cannot follow.
#[allow(clippy::disallowed_methods, reason = "whoever drives a simulation gives it the time")]
pub async fn drive(cluster: Arc<Mutex<Cluster>>, clock: ManualClock, speed: f64) {
    let speed = if speed.is_finite() { speed.clamp(0.001, 1000.0) } else { 1.0 };
    let step = STEP.div_f64(speed).max(MIN_SLEEP);
    let mut last = tokio::time::Instant::now();
    loop {
        tokio::time::sleep(step).await;
        let elapsed = last.elapsed();
        last += elapsed;
        let passed = elapsed.min(step * MOST);
        clock.advance(passed.mul_f64(speed));
        cluster.lock().tick();
    }
}
