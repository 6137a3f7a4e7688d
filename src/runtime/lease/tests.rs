use parking_lot::Mutex;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::api::Time;
use crate::runtime::testing::{Answer, api};

const SECOND: Duration = Duration::from_secs(1);

/// A Lease in memory. `down` makes every request hang.
#[derive(Clone, Debug, Default)]
struct Memory {
    record: Arc<Mutex<Option<Record>>>,
    version: Arc<AtomicU64>,
    down: Arc<Mutex<bool>>,
}

impl Memory {
    async fn reachable(&self) {
        if *self.down.lock() {
            std::future::pending::<()>().await;
        }
    }

    fn put(&self, record: &Record) -> String {
        let version = (self.version.fetch_add(1, Ordering::SeqCst) + 1).to_string();
        *self.record.lock() = Some(Record { version: version.clone(), ..record.clone() });
        version
    }
}

fn conflict() -> ApiError {
    ApiError::new(ErrorKind::Conflict, "update lease", "the object has been modified")
}

impl LeaseStore for Memory {
    async fn read(&self) -> Result<Option<Record>, ApiError> {
        self.reachable().await;
        Ok(self.record.lock().clone())
    }
    async fn create(&self, record: &Record) -> Result<String, ApiError> {
        self.reachable().await;
        if self.record.lock().is_some() { Err(conflict()) } else { Ok(self.put(record)) }
    }
    async fn replace(&self, record: &Record) -> Result<String, ApiError> {
        self.reachable().await;
        let stored = self.record.lock().as_ref().map(|stored| stored.version.clone());
        if stored.as_ref() == Some(&record.version) { Ok(self.put(record)) } else { Err(conflict()) }
    }
}

fn contender(store: &Memory, clock: &Clock, name: &str) -> Election<Memory> {
    Election::new(store.clone(), clock.clone(), name, Terms::default()).unwrap()
}

fn clock() -> Clock {
    Clock::scaled("2026-11-21T12:00:00Z".parse().unwrap(), 1.0)
}

#[tokio::test(start_paused = true)]
async fn a_rival_takes_over_only_after_the_lease_has_run_out() {
    let (store, clock) = (Memory::default(), clock());
    let mut first = contender(&store, &clock, "first");
    first.acquire().await;
    assert!(first.fence().permits());
    let dead_since = clock.monotonic();
    let mut second = contender(&store, &clock, "second");
    second.acquire().await;
    let waited = clock.monotonic().saturating_sub(dead_since);
    assert!(waited >= 15 * SECOND && waited <= 19 * SECOND, "{waited:?}");
    assert!(!first.fence().permits());
    let record = store.record.lock().clone().unwrap();
    assert_eq!((record.holder.as_str(), record.transitions), ("second", 1));
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_renews_keeps_everyone_else_out() {
    let (store, clock) = (Memory::default(), clock());
    let (mut first, mut second) = (contender(&store, &clock, "first"), contender(&store, &clock, "second"));
    first.acquire().await;
    let fence = first.fence();
    let both = async { tokio::join!(first.hold(), second.acquire()) };
    assert!(clock.within(Duration::from_mins(10), both).await.is_none());
    assert!(fence.permits() && fence.remaining() >= 7 * SECOND);
    assert_eq!(store.record.lock().as_ref().unwrap().transitions, 0);
}

#[tokio::test(start_paused = true)]
async fn a_leader_without_a_server_stops_at_the_renew_deadline() {
    let (store, clock) = (Memory::default(), clock());
    let mut first = contender(&store, &clock, "first");
    first.acquire().await;
    let began = clock.monotonic();
    *store.down.lock() = true;
    let lost = first.hold().await;
    assert!(matches!(&lost, Lost::Expired { .. }), "{lost:?}");
    assert!(clock.monotonic().saturating_sub(began) <= 10 * SECOND + Duration::from_millis(10));
    assert!(!first.fence().permits());
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_was_overtaken_says_by_whom() {
    let (store, clock) = (Memory::default(), clock());
    let mut first = contender(&store, &clock, "first");
    first.acquire().await;
    store.put(&Record { holder: "usurper".to_owned(), ..Record::default() });
    assert_eq!(first.hold().await, Lost::Taken("usurper".to_owned()));
    assert!(!first.fence().permits());
}

#[tokio::test(start_paused = true)]
async fn a_renewal_whose_answer_was_lost_is_no_loss() {
    let (store, clock) = (Memory::default(), clock());
    let mut first = contender(&store, &clock, "first");
    first.acquire().await;
    let ours = store.record.lock().clone().unwrap();
    store.put(&Record { renewed: Some(Time::from_seconds(1)), ..ours });
    assert!(clock.within(60 * SECOND, first.hold()).await.is_none());
    assert!(first.fence().permits());
}

#[tokio::test(start_paused = true)]
async fn a_released_lease_is_taken_at_once() {
    let (store, clock) = (Memory::default(), clock());
    let mut first = contender(&store, &clock, "first");
    first.acquire().await;
    let fence = first.fence();
    first.release().await;
    assert!(!fence.permits());
    assert_eq!(store.record.lock().as_ref().unwrap().holder, "");
    let before = clock.monotonic();
    contender(&store, &clock, "second").acquire().await;
    assert_eq!(clock.monotonic(), before);
    // Whoever does not lead releases nothing.
    contender(&store, &clock, "third").release().await;
    assert_eq!(store.record.lock().as_ref().unwrap().holder, "second");
}

#[test]
fn terms_must_fit_together() {
    let terms = Terms::default();
    assert_eq!(terms.checked(), Ok(terms));
    let short = Terms { lease: terms.renew_deadline, ..terms };
    assert!(short.checked().unwrap_err().to_string().contains("--leader-election-lease-duration"));
    assert!(Terms { retry: terms.renew_deadline, ..terms }.checked().is_err());
    assert!(Terms { retry: Duration::ZERO, ..terms }.checked().is_err());
}

#[tokio::test(start_paused = true)]
async fn a_lease_object_is_what_client_go_writes() {
    let stored = Arc::new(Mutex::new(Value::Null));
    let server = Arc::clone(&stored);
    let (api, log, clock, _) = api(move |asked| {
        let mut stored = server.lock();
        match asked.method.as_str() {
            "GET" if stored.is_null() => return Answer::Json(404, json!({"reason": "NotFound"})),
            "GET" => {}
            _ => {
                *stored = asked.body.clone();
                stored["metadata"]["resourceVersion"] = json!("7");
            }
        }
        Answer::Json(200, stored.clone())
    });
    let store = ApiLeaseStore::new(api, "argo", "lock");
    let mut election = Election::new(store.clone(), clock, "me_1", Terms::default()).unwrap();
    election.acquire().await;
    let spec = stored.lock()["spec"].clone();
    assert_eq!(
        spec,
        json!({
            "holderIdentity": "me_1", "leaseDurationSeconds": 15, "leaseTransitions": 0,
            "acquireTime": "2026-11-21T12:00:00.000000Z", "renewTime": "2026-11-21T12:00:00.000000Z",
        })
    );
    let record = store.read().await.unwrap().unwrap();
    assert_eq!((record.holder.as_str(), record.version.as_str(), record.duration), ("me_1", "7", 15 * SECOND));
    election.release().await;
    assert_eq!(stored.lock()["spec"]["holderIdentity"], "");
    let put = log.lock().iter().find(|asked| asked.method == "PUT").cloned().unwrap();
    assert_eq!(put.path, "/apis/coordination.k8s.io/v1/namespaces/argo/leases/lock");
    assert_eq!(put.body["metadata"]["resourceVersion"], "7");
}

/// What a read found.
struct Reading(Option<Record>);

/// A contender in the model: a monotonic clock with an origin and a speed of its own, and what is on the wire.
struct Actor {
    elector: Elector,
    origin: u64,
    /// Speed of its clock in percent.
    speed: u64,
    /// Answer to a read, on its way.
    reading: Option<Reading>,
    /// A write on its way to the server, with the local time at which it was sent.
    sending: Option<(Action, Duration)>,
    /// The answer to that write, on its way back.
    answer: Option<(Record, Duration)>,
}

impl Actor {
    fn local(&self, now_ms: u64) -> Duration {
        Duration::from_millis(self.origin + now_ms * self.speed / 100)
    }

    fn leads(&self, now_ms: u64) -> bool {
        self.elector.trusted_until().is_some_and(|until| self.local(now_ms) < until)
    }
}

#[derive(Clone, Debug)]
enum Step {
    Pass(u64),
    Read(usize),
    HearRead(usize),
    Send(usize),
    Arrive(usize),
    HearAnswer(usize),
    LoseAnswer(usize),
    Release(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let who = || 0..3_usize;
    prop_oneof![
        4 => (1..9_000_u64).prop_map(Step::Pass),
        4 => who().prop_map(Step::Read),
        4 => who().prop_map(Step::HearRead),
        5 => who().prop_map(Step::Send),
        5 => who().prop_map(Step::Arrive),
        4 => who().prop_map(Step::HearAnswer),
        1 => who().prop_map(Step::LoseAnswer),
        1 => who().prop_map(Step::Release),
    ]
}

/// The server: a record, whose version is the precondition of every write.
#[derive(Default)]
struct Server {
    record: Option<Record>,
    version: u64,
}

impl Server {
    fn accept(&mut self, action: Action) -> Option<Record> {
        let record = match (action, &self.record) {
            (Action::Create(record), None) => record,
            (Action::Replace(record), Some(stored)) if stored.version == record.version => record,
            _ => return None,
        };
        self.version += 1;
        let record = Record { version: self.version.to_string(), ..record };
        self.record = Some(record.clone());
        Some(record)
    }
}

fn play(server: &mut Server, actor: &mut Actor, step: &Step, now: u64) {
    let local = actor.local(now);
    match step {
        Step::Pass(_) => {}
        Step::Read(_) => actor.reading = Some(Reading(server.record.clone())),
        Step::HearRead(_) => {
            if let Some(Reading(record)) = actor.reading.take() {
                actor.elector.saw(record, local);
            }
        }
        Step::Send(_) => {
            // Its wall clock is as wrong as its origin.
            let action = actor.elector.decide(local, Time::from_nanos(i64::try_from(local.as_nanos()).unwrap()));
            if actor.sending.is_none() && actor.answer.is_none() {
                actor.sending = Some((action, local));
            }
        }
        Step::Arrive(_) => {
            if let Some((action, sent)) = actor.sending.take() {
                actor.answer = server.accept(action).map(|record| (record, sent));
            }
        }
        Step::HearAnswer(_) => {
            if let Some((record, sent)) = actor.answer.take() {
                actor.elector.wrote(record, sent);
            }
        }
        Step::LoseAnswer(_) => actor.answer = None,
        Step::Release(_) => {
            // Only ever done by a process that has stopped: it starts again with nothing known.
            let released = actor.elector.release(Time::default());
            server.accept(released.map_or(Action::Wait, Action::Replace));
            actor.elector = Elector::new(format!("again{now}-{}", actor.origin), Terms::default());
            (actor.reading, actor.sending, actor.answer) = (None, None, None);
        }
    }
}

proptest! {
    #[test]
    fn at_most_one_leads(
        origins in proptest::array::uniform3(0..1_000_000_u64),
        speeds in proptest::array::uniform3(85..115_u64),
        steps in proptest::collection::vec(step(), 0..300),
    ) {
        let mut actors: Vec<Actor> = (0..3).map(|n| Actor {
            elector: Elector::new(format!("c{n}"), Terms::default()),
            origin: origins[n], speed: speeds[n], reading: None, sending: None, answer: None,
        }).collect();
        let (mut server, mut now) = (Server::default(), 0_u64);
        for step in steps {
            match step {
                Step::Pass(ms) => now += ms,
                Step::Read(n) | Step::HearRead(n) | Step::Send(n) | Step::Arrive(n) | Step::HearAnswer(n)
                | Step::LoseAnswer(n) | Step::Release(n) => play(&mut server, &mut actors[n], &step, now),
            }
            let leaders = actors.iter().filter(|actor| actor.leads(now)).count();
            prop_assert!(leaders <= 1, "{leaders} leaders at {now} ms");
        }
    }
}

/// What the property above would find if a rival's patience were shorter than a leader's trust.
#[test]
fn the_model_sees_two_leaders_where_terms_allow_them() {
    let actor = |name: &str, terms: Terms| Actor {
        elector: Elector::new(name, terms),
        origin: 0,
        speed: 100,
        reading: None,
        sending: None,
        answer: None,
    };
    for (lease, expected) in [(Duration::from_secs(8), 2), (Terms::default().lease, 1)] {
        let terms = Terms { lease, ..Terms::default() };
        let mut server = Server::default();
        let mut actors = [actor("a", terms), actor("b", terms)];
        let lead = [Step::Read(0), Step::HearRead(0), Step::Send(0), Step::Arrive(0), Step::HearAnswer(0)];
        for step in &lead {
            play(&mut server, &mut actors[0], step, 0);
        }
        for step in &[Step::Read(1), Step::HearRead(1)] {
            play(&mut server, &mut actors[1], step, 0);
        }
        for step in &[Step::Send(1), Step::Arrive(1), Step::HearAnswer(1)] {
            play(&mut server, &mut actors[1], step, 9_000);
        }
        assert_eq!(actors.iter().filter(|actor| actor.leads(9_000)).count(), expected, "{lease:?}");
    }
}
