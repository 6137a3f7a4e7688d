//! Which ReplicaSet belongs to which template.
