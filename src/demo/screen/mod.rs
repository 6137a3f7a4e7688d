//! What the person at the terminal sees: a picture that is redrawn, plain lines where there is no terminal, or JSON.
//!
//! | file | what it draws |
//! | --- | --- |
//! | [`lines`] | one line for each thing that happens |
//! | [`json`] | the same for programs |
//! | [`terminal`] | the whole picture, twenty times a second: [`picture`] composes it, [`bar`] is a part of it |
//! | [`closing`] | the table at the end |

mod bar;
mod closing;
mod json;
mod lines;
mod picture;
mod question;
mod screens;
mod terminal;
mod words;

pub use question::Question;
pub use screens::{Form, Screen};

#[cfg(test)]
mod tests;
