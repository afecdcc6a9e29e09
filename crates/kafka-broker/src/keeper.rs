//! One thread that starts every broker and lives as long as the process.
//!
//! The kernel kills a child of `setpriv --pdeathsig` when the *thread* that started it ends. A test's own thread ends with
//! the test, and a broker that several tests share would die with the first of them.

use std::io;
use std::process::{Child, Command};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;

/// A command, and where its child is to be sent.
type Order = (Command, SyncSender<io::Result<Child>>);

static ORDERS: OnceLock<Sender<Order>> = OnceLock::new();

/// Starts `command` on the keeper's thread.
pub fn spawn(command: Command) -> io::Result<Child> {
    let (answer, child) = sync_channel(1);
    let gone = || io::Error::other("the thread that starts brokers is gone");
    ORDERS.get_or_init(start).send((command, answer)).map_err(|_| gone())?;
    child.recv().map_err(|_| gone())?
}

fn start() -> Sender<Order> {
    let (orders, waiting) = channel();
    thread::spawn(move || serve(&waiting));
    orders
}

fn serve(orders: &Receiver<Order>) {
    for (mut command, answer) in orders {
        if let Err(unwanted) = answer.send(command.spawn())
            && let Ok(mut child) = unwanted.0
        {
            let _ = child.kill();
        }
    }
}
