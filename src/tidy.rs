//! A test on the source itself.
