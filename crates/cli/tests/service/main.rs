//! The built service from outside, as those use it who depend on it: many clients at once, readers of every kind, disks
//! that fill up, files that are damaged, events that kill; and `headroom send` against the real thing.

mod cursors;
mod damage;
mod events;
mod load;
mod poison;
mod process;

mod send;
mod server;
mod syncs;
