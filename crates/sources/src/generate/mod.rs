//! A made-up season: merchants and shoppers through promotions, statements, late payments and frauds, in time order.
//!
//! Everything follows from the plan, so the same plan gives the same events. A day is planned account by account and
//! emitted hour by hour; what an account owes is booked as its events leave, so that statements add up.

mod broadcast;
mod calendar;
mod draft;
mod ledger;
mod life;
mod merchant;
mod opening;
mod profile;
mod purchase;
mod random;
mod repayment;
mod scene;
mod season;
mod signal;
mod timeline;
mod write;

pub use season::{GenerateSummary, SeasonPlan, generate};
