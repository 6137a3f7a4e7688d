//! What the controllers do: build a [`World`](crate::rollout::World) from caches, carry out a [`Plan`](crate::plan::Plan).
pub mod cached;
pub mod observe;
