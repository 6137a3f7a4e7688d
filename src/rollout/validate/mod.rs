//! What makes a Rollout InvalidSpec.
