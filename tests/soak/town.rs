//! A cluster in virtual time with the whole controller over it, and what happens there again and again: Rollouts of each
//! strategy that stay, and others that come, are deleted in the middle of a release or after an abort, and whose names
//! nobody has again.

use std::time::Duration;

use serde_json::{Value, json};
use siskin::api::Time;
use siskin::controller::app::{Controller, Parts, Threads};
use siskin::controller::caches::Scope;
use siskin::controller::gauges::Gauges;
use siskin::rollout::Settings;
use siskin::runtime::client::Clients;
use siskin::runtime::clock::Clock;
use siskin::runtime::limiter::Limits;
use siskin::sim::api_server::{Cursor, Hand};
use siskin::sim::cluster::{Cluster, Settings as Furnished};
use siskin::telemetry::metrics::Metrics;
use tokio_util::sync::CancellationToken;

use crate::wares::{self, Kind};

/// At least so often the cluster is looked after.
const HEARTBEAT: Duration = Duration::from_millis(500);
/// From one scrape to the next.
const SCRAPE: Duration = Duration::from_mins(1);
/// How long something that has to happen may take.
const PATIENCE: Duration = Duration::from_mins(10);
/// How long a run takes whose end people decide on.
const VERDICT: Duration = Duration::from_secs(3);
/// Rollouts without pods that come and go in one round.
const PASSERS: usize = 20;
/// So many times as many come in the first round: tables are then never near to their limit again, where what is thrown
/// away in them would count as growth.
const FAIR: usize = 3;
/// From a deletion until nothing is remembered of it: what Argo Rollouts waits before it ends the series, and a scrape.
const OBLIVION: Duration = Duration::from_mins(3);

/// The cluster, its controller, and whoever releases there.
pub struct Town {
    pub clock: Clock,
    pub metrics: Metrics,
    cluster: Cluster,
    user: Hand,
    news: Cursor,
    stop: CancellationToken,
    scraped: Time,
    round: u32,
}

impl Town {
    /// The town with those who stay. Call it inside a runtime whose time is paused.
    pub fn new() -> Self {
        // Whoever comes second finds it installed.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let start: Time = "2026-11-21T12:00:00Z".parse().unwrap();
        let clock = Clock::scaled(start, 1.0);
        let told = clock.clone();
        let cluster = Cluster::new(std::sync::Arc::new(move || told.now()), Furnished::default());
        let server = cluster.server.clone();
        for definition in siskin::api::crd::crds() {
            server.define(definition).unwrap();
        }
        let user = server.hand("user");
        wares::gateway(&user);
        wares::templates(&user);
        for kind in Kind::ALL {
            wares::open(&user, kind, kind.name());
        }
        let metrics = Metrics::new().unwrap();
        let controller = Controller::start(Parts {
            clients: Clients::shared(server.client("rollouts-controller")),
            clock: clock.clone(),
            metrics: metrics.clone(),
            settings: Settings::default(),
            scope: Scope::default(),
            limits: Limits { qps: 0.0, ..Limits::default() },
            workers: Threads { rollouts: 4, runs: 4, services: 1 },
            prometheus_address: String::new(),
            leadership: None,
            seed: 1,
        });
        metrics.register(Gauges::new(controller.caches(), metrics.clone()).unwrap()).unwrap();
        let stop = CancellationToken::new();
        tokio::spawn(controller.run(stop.clone()));
        let news = server.subscribe();
        Self { clock, metrics, cluster, user, news, stop, scraped: start, round: 0 }
    }

    /// Lets the cluster live for a while.
    pub async fn pass(&mut self, span: Duration) {
        let end = self.clock.now() + span;
        loop {
            let now = self.clock.now();
            let due = self.cluster.tick();
            self.judge(now);
            if self.scraped + SCRAPE <= now {
                self.scraped = now;
                self.metrics.render().unwrap();
            }
            if now >= end {
                return;
            }
            let next = [due, Some(now + HEARTBEAT), Some(end)].into_iter().flatten().min().unwrap_or(end);
            let wait = now.until(next).max(Duration::from_millis(1));
            tokio::select! {
                biased;
                _ = self.news.next() => {}
                () = self.clock.sleep(wait) => {}
            }
        }
    }

    /// Ends the runs whose end people decide on: all of them are content.
    fn judge(&self, now: Time) {
        for run in self.user.list("AnalysisRun", wares::NAMESPACE) {
            let open = matches!(run["status"]["phase"].as_str().unwrap_or_default(), "" | "Pending" | "Running");
            let born: Time = run["metadata"]["creationTimestamp"].as_str().unwrap().parse().unwrap();
            if open && run["spec"]["metrics"][0]["name"] == wares::JUDGED && born + VERDICT <= now {
                let key = (wares::NAMESPACE, run["metadata"]["name"].as_str().unwrap());
                self.user.merge_status("AnalysisRun", key, &json!({"status": wares::content(now)})).unwrap();
            }
        }
    }

    async fn all_show(&mut self, names: &[String], phase: &str) {
        let end = self.clock.now() + PATIENCE;
        loop {
            self.pass(Duration::from_secs(1)).await;
            let shown = |name: &String| self.rollout(name)["status"]["phase"].as_str().unwrap_or_default().to_owned();
            let others: Vec<_> = names.iter().map(|name| (name, shown(name))).filter(|(_, is)| is != phase).collect();
            if others.is_empty() {
                return;
            }
            assert!(
                self.clock.now() < end,
                "round {}: not {phase}: {others:?}: {}",
                self.round,
                self.rollout(others[0].0)["status"]
            );
        }
    }

    fn rollout(&self, name: &str) -> Value {
        (*self.user.get("Rollout", wares::NAMESPACE, name).unwrap()).clone()
    }

    fn command(&self, names: &[String], status: &Value) {
        for name in names {
            self.user.merge_status("Rollout", (wares::NAMESPACE, name), &json!({"status": status})).unwrap();
        }
    }

    fn release(&self, names: &[String], image: &str, analysis: &str) {
        for name in names {
            wares::release(&self.user, Kind::of(name), name, (image, analysis));
        }
    }

    /// One round: newcomers arrive; everybody has a good release, which people promote, and one that its analysis ends;
    /// those who stay go back, the newcomers are deleted.
    pub async fn round(&mut self) {
        self.round += 1;
        let stay: Vec<String> = Kind::ALL.iter().map(|kind| kind.name().to_owned()).collect();
        let of = |kind: &Kind, number| format!("{}-{:06}-{number:02}", kind.name(), self.round);
        let come: Vec<String> =
            (0..self.times()).flat_map(|number| Kind::ALL.iter().map(move |kind| of(kind, number))).collect();
        let all = [stay.clone(), come.clone()].concat();
        for name in &come {
            wares::open(&self.user, Kind::of(name), name);
        }
        self.all_show(&all, "Healthy").await;
        let good = wares::good(self.round);
        self.release(&all, &good, wares::JUDGED);
        self.all_show(&all, "Paused").await;
        self.command(&all, &json!({"pauseConditions": null}));
        self.all_show(&all, "Healthy").await;

        self.release(&all, &format!("shop:{:06}-bad", self.round), wares::UNREACHABLE);
        self.pass(Duration::from_secs(2)).await;
        let (middle, aborted) = come.split_at(come.len() / 2);
        self.close(middle).await;
        self.all_show(&[&stay, aborted].concat(), "Degraded").await;
        self.close(aborted).await;
        self.command(&stay[..1], &json!({"abort": false}));
        self.pass(Duration::from_secs(5)).await;
        self.release(&stay, &good, wares::JUDGED);
        self.passers().await;
        self.all_show(&stay, "Healthy").await;
        self.pass(OBLIVION).await;
    }

    /// Rollouts go, and after a while what they have used: their Services and routes are given back before.
    async fn close(&mut self, names: &[String]) {
        for name in names {
            self.user.delete("Rollout", wares::NAMESPACE, name).unwrap();
        }
        self.pass(Duration::from_secs(40)).await;
        for name in names {
            wares::clear(&self.user, Kind::of(name), name);
        }
    }

    /// Lets go of what the cluster keeps for others: history, the journal, Events, which live for an hour elsewhere, and
    /// ReplicaSets of Deployments, whose model has no history limit.
    pub async fn forget(&mut self) {
        for event in self.user.list("Event", wares::NAMESPACE) {
            self.user.delete("Event", wares::NAMESPACE, event["metadata"]["name"].as_str().unwrap()).unwrap();
        }
        for set in self.user.list("ReplicaSet", wares::NAMESPACE) {
            let image = set["spec"]["template"]["spec"]["containers"][0]["image"].as_str().unwrap();
            if set["metadata"]["ownerReferences"][0]["kind"] == "Deployment" && image != wares::good(self.round) {
                self.user.delete("ReplicaSet", wares::NAMESPACE, set["metadata"]["name"].as_str().unwrap()).unwrap();
            }
        }
        self.pass(Duration::from_secs(5)).await;
        self.user.server().compact();
        self.user.server().forget_journal();
        self.pass(Duration::from_secs(5)).await;
    }

    const fn times(&self) -> usize {
        if self.round == 1 { FAIR } else { 1 }
    }

    /// Many come, and go before they have a pod; what every other one refers to goes a little later.
    async fn passers(&mut self) {
        let kinds = [Kind::Plain, Kind::Referring].into_iter().cycle();
        let names = (0..PASSERS * self.times()).zip(kinds);
        let names = names.map(|(number, kind)| format!("{}-passer-{:06}-{number:02}", kind.name(), self.round));
        let names: Vec<String> = names.collect();
        for name in &names {
            wares::passer(&self.user, Kind::of(name), name);
        }
        self.all_show(&names, "Healthy").await;
        self.close(&names).await;
    }

    /// Rollouts that are deleted in one round.
    pub const fn gone_each_round() -> usize {
        Kind::ALL.len() + PASSERS
    }
}

impl Drop for Town {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
