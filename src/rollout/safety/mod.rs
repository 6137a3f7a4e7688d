//! Permit: which writes are safe now. Knows nothing of steps or people; the ten traffic invariants are read here.
//!
//! | file | what it permits | invariants |
//! | --- | --- | --- |
//! | [`sizes`] | growing and shrinking revisions | I04, I10, I23, I29 |
//! | [`services`] | switching selectors | I01, I02, I05 |
//! | [`weights`] | moving weights | I03, I06, I07 |
//! | [`managed`] | setting and removing managed routes | I04, I14 |
//! | [`evictions`] | replacing pods for a restart | I25 |
//! | [`history`] | deleting ReplicaSets | I22 |
//! | [`workload`] | draining the Deployment that the template comes from | I24 |
//! | [`contest`] | writing again what somebody else has undone | I42 |
//!
//! They ask [`exposure`] who may be reached, [`capacity`] what that needs, [`route`] which weights may be in force,
//! and [`pace`] how fast pods may be exchanged without a router.
pub mod capacity;
pub mod contest;
pub mod evictions;
pub mod exposure;
pub mod history;
pub mod managed;
pub mod pace;
pub mod route;
pub mod services;
pub mod sizes;
pub mod weights;
pub mod workload;
pub mod write;
