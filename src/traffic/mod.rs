//! Pure: what each router's objects say, and which edits bring them to a goal.
//!
//! Every router has the same two halves. *Read*: the live object, as JSON, to the weights in force and to what the
//! data plane says of them. *Edit*: the live object and a goal to the smallest patch between them, or to nothing.
//! Objects stay `serde_json::Value` throughout, so fields newer than this program survive.
//!
//! Nothing here decides whether a weight is wanted (`rollout::strategy`) or safe (`rollout::safety`), and nothing
//! here talks to an API server.
//!
//! | module | router |
//! | --- | --- |
//! | [`gateway_api`] | Gateway API, both as Siskin's own key and as Argo's plugin |
//!
//! [`acknowledgement`] is the answer that all of them give to "is what was written in force?".

pub mod acknowledgement;
pub mod gateway_api;

pub use acknowledgement::Acknowledgement;
