//! The way back to a recent revision: without steps, pauses and analysis.

use crate::api::{Time, names};
use crate::rollout::cast::{Cast, Revision};
use crate::rollout::world::World;

/// Whether a revision is recent enough to go back to in one go: it was created before the stable one, and fewer
/// revisions than `spec.rollbackWindow.revisions` were created strictly between the two. Experiments' do not count.
///
/// Worked example: revisions 1 to 5, of which 5 is stable, and a window of 2. Between 4 and 5 is none, between 3 and 5
/// one: both are inside. Between 2 and 5 are two: it is outside. Source: contract, behaviour §6.6.
pub fn in_window(world: &World, cast: &Cast, revision: &Revision) -> bool {
    let window = world.rollout.spec.rollback_window.as_ref().map_or(0, |window| window.revisions);
    let (Some(from), Some(stable)) = (created(revision), cast.stable.as_ref().and_then(created)) else { return false };
    if window <= 0 || from >= stable {
        return false;
    }
    let between = cast.all().filter(|other| {
        let experiment = other.rs.metadata.annotation(names::EXPERIMENT_NAME).is_some();
        !experiment && created(other).is_some_and(|time| from < time && time < stable)
    });
    i32::try_from(between.count()).is_ok_and(|between| between < window)
}

fn created(revision: &Revision) -> Option<Time> {
    revision.rs.metadata.creation_timestamp
}

/// Whether the update under way is a rollback inside the window that nobody holds.
///
/// An abort wins: it is a user's or a deadline's word against this very rollback (I30). A pause of the user's holds it
/// as it holds every update (I31).
pub fn direct(world: &World, cast: &Cast) -> bool {
    let rollout = &world.rollout;
    let held = rollout.spec.paused || rollout.status.abort;
    !held && cast.new.as_ref().is_some_and(|new| in_window(world, cast, new))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::api::{ReplicaSet, Rollout};

    /// Revisions by the minute of their creation; the last is stable, `new` the one that the template asks for.
    fn world(window: i32, minutes: &[u32], experiment: Option<u32>) -> (World, Cast) {
        let stable = minutes.last().unwrap();
        let rollout = json!({
            "metadata": {"name": "shop", "uid": "u"},
            "spec": {"rollbackWindow": {"revisions": window}},
            "status": {"stableRS": format!("h{stable}")},
        });
        let sets = minutes.iter().map(|minute| {
            let mut rs = json!({"metadata": {
                "name": format!("shop-h{minute}"), "uid": format!("u{minute}"),
                "labels": {names::POD_HASH: format!("h{minute}")},
                "creationTimestamp": format!("2026-11-21T12:{minute:02}:00Z"),
                "ownerReferences": [{"uid": "u", "kind": "Rollout", "controller": true}],
            }});
            if experiment == Some(*minute) {
                rs["metadata"]["annotations"] = json!({names::EXPERIMENT_NAME: "e"});
            }
            Arc::new(serde_json::from_value::<ReplicaSet>(rs).unwrap())
        });
        let world = World {
            rollout: Arc::new(serde_json::from_value::<Rollout>(rollout).unwrap()),
            replica_sets: sets.collect(),
            ..World::default()
        };
        let cast = Cast::of(&world, Time::default());
        (world, cast)
    }

    fn inside(window: i32, minutes: &[u32], experiment: Option<u32>) -> Vec<u32> {
        let (world, cast) = world(window, minutes, experiment);
        let inside = |minute: &&u32| {
            cast.by_hash(&format!("h{minute}")).is_some_and(|revision| in_window(&world, &cast, revision))
        };
        minutes.iter().filter(inside).copied().collect()
    }

    #[test]
    fn counts_revisions_between() {
        let minutes = [1, 2, 3, 4, 5];
        for (window, expected) in [(-1, vec![]), (0, vec![]), (1, vec![4]), (2, vec![3, 4]), (9, vec![1, 2, 3, 4])] {
            assert_eq!(inside(window, &minutes, None), expected, "window {window}");
        }
    }

    #[test]
    fn counts_no_experiments_and_no_later_ones() {
        assert_eq!(inside(1, &[1, 2, 3], Some(2)), [1, 2]);
        // Revision 3 is stable again after 4: what is younger than the stable revision is no way back.
        let (mut world, _) = world(1, &[2, 3, 4], None);
        Arc::make_mut(&mut world.rollout).status.stable_rs = "h3".to_owned();
        let cast = Cast::of(&world, Time::default());
        let inside = |hash: &str| in_window(&world, &cast, cast.by_hash(hash).unwrap());
        assert_eq!((inside("h2"), inside("h3"), inside("h4")), (true, false, false));
    }

    #[test]
    fn one_second_tells_no_order() {
        let (mut world, _) = world(3, &[1, 2], None);
        let mut rs = (*world.replica_sets[0]).clone();
        rs.metadata.creation_timestamp = world.replica_sets[1].metadata.creation_timestamp;
        world.replica_sets[0] = Arc::new(rs);
        let cast = Cast::of(&world, Time::default());
        assert!(!in_window(&world, &cast, cast.by_hash("h1").unwrap()));
    }
}
