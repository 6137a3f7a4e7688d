//! The quota controller: what the pods of a namespace take of each `ResourceQuota`, for people to read. Pods are refused
//! by the server itself, which counts at that moment.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::feed::{Agenda, Feed};
use super::model::Model;
use crate::api::Time;
use crate::sim::api_server::quota::{hard, shown, taken};
use crate::sim::api_server::{ApiServer, Hand};
use crate::sim::object;

/// The model. Its actor name is `quota-controller`.
#[derive(Clone)]
pub struct Quotas {
    hand: Hand,
    feed: Feed,
    lag: Duration,
    namespaces: Agenda<String>,
}

impl Quotas {
    /// A controller that reacts `lag` after each change.
    pub fn new(server: &ApiServer, lag: Duration) -> Self {
        let hand = server.hand("quota-controller");
        let feed = Feed::new(&hand, &["ResourceQuota", "Pod"]);
        Self { hand, feed, lag, namespaces: Agenda::new() }
    }

    fn settle(&self, namespace: &str) {
        let quotas = self.hand.list("ResourceQuota", namespace);
        if quotas.is_empty() {
            return;
        }
        let used = taken(self.hand.list("Pod", namespace).iter().map(AsRef::as_ref));
        for quota in quotas {
            let counted = hard(&quota).filter_map(|(name, limit)| Some((name, limit, used.named(name)?)));
            let (limits, sums): (Map<String, Value>, Map<String, Value>) = counted
                .map(|(name, limit, sum)| ((name.to_owned(), limit.clone()), (name.to_owned(), json!(shown(sum)))))
                .unzip();
            let status = json!({ "hard": limits, "used": sums });
            if quota.get("status") != Some(&status) {
                let mut next = (*quota).clone();
                object::put(&mut next, &["status"], status);
                // A conflict or a quota that is gone brings another look.
                let _ = self.hand.replace_status("ResourceQuota", next);
            }
        }
    }
}

impl Model for Quotas {
    fn tick(&mut self, now: Time) -> Option<Time> {
        for event in self.feed.pull().events {
            let Some(object) = event.object() else { continue };
            self.namespaces.add(object::namespace(object).to_owned(), now + self.lag);
        }
        for namespace in self.namespaces.take(now) {
            self.settle(&namespace);
        }
        self.namespaces.next()
    }
}
