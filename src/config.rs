//! Flags, environment and named limits: read once, passed down.
