//! How a wire struct reads and writes: camelCase, absent where empty (Go's `omitempty`), never failing on a missing field.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

/// Whether a value is left out when it is written, as Go's `omitempty` leaves it out.
pub trait Omit {
    /// True for the empty value of the type.
    fn omit(&self) -> bool;

    /// Gives back the room that reading has taken in reserve: caches hold hundreds of thousands of lists.
    fn fit(&mut self) {}
}

impl<T> Omit for Option<T> {
    fn omit(&self) -> bool {
        self.is_none()
    }
}

impl<T> Omit for Vec<T> {
    fn omit(&self) -> bool {
        self.is_empty()
    }

    fn fit(&mut self) {
        self.shrink_to_fit();
    }
}

impl<K, V> Omit for BTreeMap<K, V> {
    fn omit(&self) -> bool {
        self.is_empty()
    }
}

impl Omit for String {
    fn omit(&self) -> bool {
        self.is_empty()
    }
}

impl Omit for bool {
    fn omit(&self) -> bool {
        !*self
    }
}

impl Omit for i32 {
    fn omit(&self) -> bool {
        *self == 0
    }
}

impl Omit for i64 {
    fn omit(&self) -> bool {
        *self == 0
    }
}

/// A number that is written even where it is zero, because clients read its absence as something else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Written<T>(pub T);

impl<T> Omit for Written<T> {
    fn omit(&self) -> bool {
        false
    }
}

/// Reads a value; an explicit `null` counts as absent, as it does to Go.
pub fn or_default<'de, T: Default + Deserialize<'de> + Omit, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    let mut value: T = Option::deserialize(deserializer)?.unwrap_or_default();
    value.fit();
    Ok(value)
}

/// Declares wire structs: every field may be absent, and an empty one is not written.
macro_rules! wire {
    ($($(#[$meta:meta])* pub struct $name:ident { $($(#[$field_meta:meta])* pub $field:ident: $type:ty,)* })*) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        #[serde(rename_all = "camelCase", default)]
        pub struct $name {
            $(
                $(#[$field_meta])*
                #[serde(
                    skip_serializing_if = "crate::api::wire::Omit::omit",
                    deserialize_with = "crate::api::wire::or_default"
                )]
                pub $field: $type,
            )*
        }
    )*};
}

pub(crate) use wire;
