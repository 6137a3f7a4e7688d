//! The bounds of the condition language: conditions come from any tenant and are judged in a shared process,
//! so nothing in them may cost more than these.

/// Longest source of one expression, in bytes.
pub const MAX_SOURCE_BYTES: usize = 16 * 1024;

/// Deepest nesting (parentheses, brackets, calls, operators to the right) while reading.
pub const MAX_DEPTH: usize = 64;

/// Highest syntax tree. Chains such as `a || b || c` grow to the left without nesting, so they may be longer
/// than [`MAX_DEPTH`]; evaluation still recurses over them, which is why they have a bound of their own.
pub const MAX_HEIGHT: usize = 200;

/// Most nodes of a syntax tree (Go: `conf.DefaultMaxNodes`).
pub const MAX_NODES: usize = 10_000;

/// Most steps of one evaluation. Evaluating a node other than a literal or a name is one step; work that grows
/// with a list or a text costs more, see [`ELEMENTS_PER_STEP`] and [`BYTES_PER_STEP`].
pub const MAX_STEPS: u64 = 1_000_000;

/// Elements that bulk work (comparing, searching, copying) handles for one step.
pub const ELEMENTS_PER_STEP: u64 = 8;

/// Bytes that text work handles for one step.
pub const BYTES_PER_STEP: u64 = 64;

/// Steps for reading a regular expression that is not a literal, besides its length.
pub const STEPS_PER_PATTERN: u64 = 100;

/// Elements that one evaluation may create (Go: `conf.DefaultMemoryBudget`); reaching it is an error.
pub const MAX_ELEMENTS: usize = 1_000_000;

/// Longest text that an expression may make, in bytes.
pub const MAX_TEXT_BYTES: usize = 8 * 1024 * 1024;

/// Deepest value that an expression may make out of lists and maps.
pub const MAX_VALUE_DEPTH: u16 = 256;
