//! Shared by the generated tests.

pub mod generate;
pub mod random;
