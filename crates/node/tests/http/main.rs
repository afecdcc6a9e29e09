//! The HTTP interface over a real service: every route, every refusal, and what happens when either side goes away.

mod accounts;
mod broken;
mod events;
mod operation;
mod outputs;
mod server;
mod streams;
