//! Judge: what the facts decide. Recorded decisions and observed facts in, new decisions out, at most one step forward.
//!
//! A ruling changes nothing but the record: the next plan acts on it.
pub mod abort;
pub mod deadline;
pub mod pause;
pub mod promotion;
pub mod reset;
pub mod restart;
pub mod rollback;
pub mod ruling;
pub mod step;
pub mod trouble;
pub mod unreached;
pub mod verdict;

pub use ruling::{Ruling, rule};
