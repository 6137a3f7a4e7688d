//! How many pods stand for a weight. Only *how much*: how fast is `safety::pace`'s matter.

use crate::rollout::size::Sizes;

/// How many pods the new and the stable revision should have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ratio {
    /// Pods of the new revision.
    pub new: i32,
    /// Pods of the stable revision.
    pub stable: i32,
}

/// One way to divide pods, and how far it is from the weight.
struct Candidate {
    canary: i32,
    total: i32,
}

impl Candidate {
    /// |canary / total − weight / max|, as a fraction over total · max, comparable by cross-multiplication.
    fn distance(&self, weight: i32, max: i32) -> (i64, i64) {
        let scaled = i64::from(self.canary) * i64::from(max) - i64::from(weight) * i64::from(self.total);
        (scaled.abs(), i64::from(self.total))
    }
}

/// The pods that come closest to a weight in a canary without a router: `replicas` pods, or one more where a surge allows it.
///
/// Neither side vanishes unless the weight says so (0 or all), or there is one pod and no surge.
/// Worked example: 3 pods at 50 % with a surge. 2 of 3 is 16.7 % off, 2 of 4 is exact, so 2 new and 2 stable.
/// Argo: `replicasetutil.approximateWeightedCanaryStableReplicaCounts`.
pub fn by_pods(replicas: i32, weight: i32, max: i32, surge: i32) -> Ratio {
    if replicas == 0 || max == 0 {
        return Ratio { new: 0, stable: replicas };
    }
    let share = |total: i32| i64::from(total) * i64::from(weight);
    let at = |total: i32| (share(total).div_euclid(i64::from(max)), share(total).rem_euclid(i64::from(max)));
    let tied = |total: i32| at(total).1 * 2 == i64::from(max);
    let (floor, rest) = at(replicas);
    let floor = i32::try_from(floor).unwrap_or(i32::MAX);
    let ceil = floor.saturating_add(i32::from(rest != 0));
    let zero_is_right = weight == max || weight == 0 || (replicas == 1 && surge == 0);

    let mut candidates = Vec::with_capacity(4);
    for total in [replicas, replicas.saturating_add(1)] {
        if total > replicas && surge <= 0 {
            break;
        }
        if ceil < total || zero_is_right {
            candidates.push(Candidate { canary: ceil, total });
        }
        if !tied(total) && (floor != 0 || zero_is_right) {
            candidates.push(Candidate { canary: floor, total });
        }
    }
    let best = candidates.into_iter().reduce(|best, next| {
        let ((a, a_total), (b, b_total)) = (best.distance(weight, max), next.distance(weight, max));
        // The first wins a tie, so only a strictly smaller distance replaces it.
        if b * a_total < a * b_total { next } else { best }
    });
    best.map_or(Ratio { new: 0, stable: replicas }, |best| Ratio { new: best.canary, stable: best.total - best.canary })
}

/// Pods for a share of the traffic behind a router: rounded up, so that capacity is never short of its share.
pub fn by_weight(replicas: i32, weight: i32, max: i32) -> i32 {
    if max == 0 {
        return 0;
    }
    let product = i64::from(replicas) * i64::from(weight);
    let up = product.div_euclid(i64::from(max)) + i64::from(product.rem_euclid(i64::from(max)) != 0);
    i32::try_from(up).unwrap_or(i32::MAX)
}

/// The smallest allowed size of a revision that is not empty. Argo: `minPodsPerReplicaSet`.
pub fn with_floor(size: i32, min_pods: Option<i32>, replicas: i32) -> i32 {
    match min_pods {
        Some(min) if size > 0 => size.max(min.min(replicas)),
        _ => size,
    }
}

/// Pods of a canary without a router, before pacing: all for the new revision where there is no distinct stable one.
pub fn basic(sizes: &Sizes, replicas: i32, weight: (i32, i32), surge: i32) -> Ratio {
    if sizes.stable.is_none() {
        return Ratio { new: replicas, stable: 0 };
    }
    by_pods(replicas, weight.0, weight.1, surge)
}
