//! Stored things, taken apart for people and machines: as tables and bars by the command line, as JSON by HTTP.

mod account;
mod features;
mod item;
mod names;
mod stack;
mod when;

pub use account::account;
pub use features::features;
pub use item::Item;
pub use names::Names;
pub use when::{day, instant, maybe, month, span};
