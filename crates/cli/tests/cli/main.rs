//! The built binary from outside: what it prints, where, and how it exits.

mod account;
mod changes;
mod command;
mod completions;
mod config;
mod dead_letters;
mod explain;
mod files;
mod journal;
mod mutate;
mod report;
mod rules;
mod rules_tools;
mod scenario;
mod send;
mod service;
mod snapshot;
mod tables;
mod tutorial;
mod usage;
mod verify;
mod witnesses;
