//! What a cluster may have beside the parts that every release needs. Each is added by name, and costs nothing where it
//! is not.

use crate::api::Time;

/// A controller, or a part of the infrastructure, that is moved by ticks.
pub trait Model: Copied + Send {
    /// Does what is due; returns when there is more to do if nothing changes.
    fn tick(&mut self, now: Time) -> Option<Time>;
}

/// What can be had once more, over the same server: every model that is `Clone`.
pub trait Copied {
    /// The same as it is now.
    fn copy(&self) -> Box<dyn Model>;
}

impl<M: Model + Clone + 'static> Copied for M {
    fn copy(&self) -> Box<dyn Model> {
        Box::new(self.clone())
    }
}

impl Clone for Box<dyn Model> {
    fn clone(&self) -> Self {
        (**self).copy()
    }
}
