//! The built binary from outside: what it prints, where, and how it exits.

mod account;
mod changes;
mod command;
mod explain;
mod files;
mod rules;
mod scenario;
mod usage;
mod verify;
