//! Pure: the language in which every kind decides.
//!
//! A [`Plan`] is a value: it prints, compares and replays. The shell carries it out and adds nothing to it.
//! Every prefix of a plan is safe, and every plan can be dropped: the next look at the world makes a better one.

pub mod blocker;
pub mod effect;
pub mod event;
pub mod object;
pub mod whole;

pub use blocker::Blocker;
pub use effect::{Basis, Effect, Phase, Precondition, Verb};
pub use event::{Event, EventType};
pub use object::{ObjectRef, Resource};
pub use whole::{Plan, Record};
