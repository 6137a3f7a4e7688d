//! How many pods a ReplicaSet has: the three numbers that all replica arithmetic is made of.

/// Pods of one revision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Wanted by the ReplicaSet.
    pub spec: i32,
    /// Existing.
    pub replicas: i32,
    /// Ready for `minReadySeconds` and not on their way out.
    pub available: i32,
}

/// Pods of the revisions of a Rollout. `stable` is absent where it is the same revision as `new`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// The revision of the current template.
    pub new: Option<Size>,
    /// The revision that was promoted last.
    pub stable: Option<Size>,
    /// All other revisions.
    pub others: Vec<Size>,
}

impl Sizes {
    /// Wanted pods of all revisions.
    pub fn spec(&self) -> i32 {
        self.all().map(|size| size.spec).sum()
    }

    /// Available pods of all revisions.
    pub fn available(&self) -> i32 {
        self.all().map(|size| size.available).sum()
    }

    fn all(&self) -> impl Iterator<Item = &Size> {
        self.new.iter().chain(&self.stable).chain(&self.others)
    }
}
