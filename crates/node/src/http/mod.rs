//! The HTTP interface of the embedded service.

mod server;

mod app;
mod router;

mod answer;
mod events;
mod intake;
mod json_scan;
mod split;

mod cursor;
mod news;
mod outputs;
mod page;
mod stream;

mod accounts;
mod explain;
mod limits;
mod what_if;

mod health;
mod index;
mod rules;

mod document;
mod failure;
mod schema;

pub use document::openapi;
pub use server::serve;
