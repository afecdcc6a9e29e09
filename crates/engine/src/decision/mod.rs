//! One decision: catch up, pass 1, at most one pass 2, arbitration by field, guards, effects (RULEBOOK section 3).

mod apply;
mod apply_block;
mod apply_boost;
mod arbitrate;
pub(crate) mod cancel;
mod compensation;
mod decide;
mod emit;
mod evaluate;
mod guards;
mod notice;
mod offer;
mod proposal;
mod propose;
mod settle;
mod timers;
mod undo;

pub use decide::{Asked, Outcome, Tally, Trigger, decide, decide_watched};
pub use evaluate::feature_now;
pub use guards::GUARD_NAMES;
pub use notice::{NOTICE_TEXTS, notice_texts};
