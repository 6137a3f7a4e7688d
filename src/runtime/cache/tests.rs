use std::collections::BTreeMap;

use parking_lot::Mutex;
use proptest::prelude::*;

use super::*;
use crate::api::meta::Meta;

#[derive(Debug, PartialEq)]
struct Thing {
    meta: Meta,
    owners: Vec<String>,
}

impl Cached for Thing {
    fn object_meta(&self) -> &Meta {
        &self.meta
    }
}

fn meta(name: &str, version: u32) -> Meta {
    Meta { name: name.to_owned(), namespace: "ns".to_owned(), resource_version: version.to_string(), ..Meta::default() }
}

fn thing(name: &str, version: u32, owners: &[&str]) -> Entry<Thing> {
    let owners = owners.iter().map(|owner| (*owner).to_owned()).collect();
    Entry::Valid(Arc::new(Thing { meta: meta(name, version), owners }))
}

fn broken(name: &str, version: u32) -> Entry<Thing> {
    Entry::Invalid(Arc::new(Invalid { meta: meta(name, version), error: "no number".to_owned() }))
}

type Heard = Arc<Mutex<Vec<String>>>;

/// A store that writes down each change as `name old>new source`.
fn store() -> (Store<Thing>, Heard) {
    let heard = Heard::default();
    let ears = Arc::clone(&heard);
    let version = |entry: Option<&Entry<Thing>>| {
        entry.map_or_else(|| "-".to_owned(), |entry| entry.meta().resource_version.clone())
    };
    let indexes = vec![
        Index { name: "owner", keys: |thing: &Thing| thing.owners.clone() },
        Index { name: "namespace", keys: |thing: &Thing| vec![thing.meta.namespace.clone()] },
    ];
    let store = Store::new(indexes, move |change| {
        let line = format!("{} {}>{} {:?}", change.key().name, version(change.old), version(change.new), change.source);
        ears.lock().push(line);
    });
    (store, heard)
}

fn names(objects: &[Arc<Thing>]) -> Vec<&str> {
    objects.iter().map(|object| object.meta.name.as_str()).collect()
}

#[test]
fn a_relist_yields_what_was_missed() {
    let (store, heard) = store();
    store.replace_all(vec![thing("a", 1, &[]), thing("b", 2, &[]), thing("c", 3, &[])]);
    store.apply(&thing("b", 4, &[]));
    store.delete(&ObjectKey::new("ns", "nobody"));
    store.replace_all(vec![thing("b", 4, &[]), thing("c", 9, &[]), thing("d", 5, &[])]);
    let expected = ["a ->1 List", "b ->2 List", "c ->3 List", "b 2>4 Watch", "c 3>9 List", "d ->5 List", "a 1>- List"];
    assert_eq!(*heard.lock(), expected);
    assert_eq!(store.len(), 3);
}

#[test]
fn an_invalid_object_is_held_but_found_nowhere() {
    let (store, _) = store();
    store.apply(&thing("a", 1, &["x"]));
    store.apply(&broken("a", 2));
    assert!(store.by("owner", "x").is_empty());
    assert_eq!((store.get(&ObjectKey::new("ns", "a")), store.invalid_len()), (None, 1));
    assert_eq!(store.invalid()[0].error, "no number");
    store.apply(&thing("a", 3, &["x"]));
    assert_eq!((names(&store.by("owner", "x")), store.invalid_len()), (vec!["a"], 0));
    store.apply(&broken("a", 4));
    store.delete(&ObjectKey::new("ns", "a"));
    assert!(store.is_empty() && store.invalid_len() == 0);
}

#[test]
fn a_snapshot_outlives_the_change() {
    let (store, _) = store();
    store.apply(&thing("a", 1, &["x"]));
    let before = store.by("owner", "x");
    store.delete(&ObjectKey::new("ns", "a"));
    assert_eq!(names(&before), ["a"]);
}

#[derive(Clone, Debug)]
enum Op {
    Apply(u8, Vec<u8>),
    Break(u8),
    Delete(u8),
    Replace(Vec<(u8, Vec<u8>)>),
}

fn op() -> impl Strategy<Value = Op> {
    let owners = || proptest::collection::vec(0..4_u8, 0..3);
    prop_oneof![
        4 => (0..6_u8, owners()).prop_map(|(name, owners)| Op::Apply(name, owners)),
        1 => (0..6_u8).prop_map(Op::Break),
        2 => (0..6_u8).prop_map(Op::Delete),
        1 => proptest::collection::vec((0..6_u8, owners()), 0..5).prop_map(Op::Replace),
    ]
}

proptest! {
    /// The naive store is a map; its indexes are scans.
    #[test]
    fn indexes_agree_with_a_scan(ops in proptest::collection::vec(op(), 0..60)) {
        let (store, heard) = store();
        let mut naive: BTreeMap<String, Option<Vec<String>>> = BTreeMap::new();
        let text = |owners: &[u8]| owners.iter().map(|owner| format!("o{owner}")).collect::<Vec<_>>();
        let entry = |name: &str, version: usize, owners: &[String]| {
            let owners: Vec<&str> = owners.iter().map(String::as_str).collect();
            thing(name, u32::try_from(version).unwrap() + 1, &owners)
        };
        for (version, op) in ops.into_iter().enumerate() {
            match op {
                Op::Apply(name, owners) => {
                    let (name, owners) = (format!("n{name}"), text(&owners));
                    store.apply(&entry(&name, version, &owners));
                    naive.insert(name, Some(owners));
                }
                Op::Break(name) => {
                    store.apply(&broken(&format!("n{name}"), 1));
                    naive.insert(format!("n{name}"), None);
                }
                Op::Delete(name) => {
                    store.delete(&ObjectKey::new("ns", format!("n{name}")));
                    naive.remove(&format!("n{name}"));
                }
                Op::Replace(all) => {
                    naive = all.iter().map(|(name, owners)| (format!("n{name}"), Some(text(owners)))).collect();
                    let all = naive.iter().map(|(n, owners)| entry(n, version, owners.as_deref().unwrap_or_default()));
                    store.replace_all(all.collect());
                }
            }
            for owner in 0..4 {
                let owner = format!("o{owner}");
                let scan: Vec<&str> = naive.iter()
                    .filter(|(_, owners)| owners.as_ref().is_some_and(|owners| owners.contains(&owner)))
                    .map(|(name, _)| name.as_str()).collect();
                let found = store.by("owner", &owner);
                prop_assert_eq!(names(&found), scan);
            }
            prop_assert_eq!(store.by("namespace", "ns").len(), naive.values().flatten().count());
            prop_assert_eq!(store.len(), naive.len());
            prop_assert_eq!(store.invalid_len(), naive.values().filter(|owners| owners.is_none()).count());
            prop_assert!(store.content.read().found.iter().all(|found| found.values().all(|keys| !keys.is_empty())));
        }
        // Whoever adds up what the hook heard arrives at the same content.
        let mut known = BTreeSet::new();
        for line in heard.lock().iter() {
            let name = line.split(' ').next().unwrap().to_owned();
            if line.contains(">- ") { known.remove(&name) } else { known.insert(name) };
        }
        prop_assert_eq!(known.into_iter().collect::<Vec<_>>(), naive.into_keys().collect::<Vec<_>>());
    }
}
