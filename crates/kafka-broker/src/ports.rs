//! Two ports that stay one broker's, also while it is down.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::PathBuf;
use std::{env, process};

use rustix::process::getuid;

/// Below the ports that outgoing connections take by themselves: a client that connects while the broker is down must not
/// get the broker's own.
const FIRST: u16 = 18_000;
const COUNT: u16 = 12_000;

/// Ports of one broker; other processes of this crate pass them over until this is dropped.
#[derive(Debug)]
pub struct Ports {
    /// Where clients connect.
    pub client: u16,
    /// The controller's.
    pub controller: u16,
    _locks: [File; 2],
}

impl Ports {
    /// Takes two that nobody listens on.
    pub fn take() -> Result<Self, String> {
        let folder = folder()?;
        // Processes begin at different places; what one process holds already is locked.
        let start = u16::try_from(process::id().wrapping_mul(37) % u32::from(COUNT)).unwrap_or(0);
        let mut free = (0..COUNT).map(|step| FIRST + (start + step) % COUNT).filter_map(|port| lock(&folder, port));
        let (client, first) = free.next().ok_or("no free port")?;
        let (controller, second) = free.next().ok_or("no second free port")?;
        Ok(Self { client, controller, _locks: [first, second] })
    }
}

fn folder() -> Result<PathBuf, String> {
    let folder = env::temp_dir().join(format!("headroom-kafka-ports-{}", getuid().as_raw()));
    fs::create_dir_all(&folder).map_err(|error| format!("cannot make `{}`: {error}", folder.display()))?;
    Ok(folder)
}

/// The port with its lock, if it is free.
fn lock(folder: &std::path::Path, port: u16) -> Option<(u16, File)> {
    let file = File::options().create(true).append(true).open(folder.join(port.to_string())).ok()?;
    file.try_lock().ok()?;
    TcpListener::bind(("127.0.0.1", port)).ok()?;
    Some((port, file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_gets_a_port_twice() {
        let taken: Vec<Ports> = (0..3).map(|_| Ports::take().unwrap()).collect();
        let mut ports: Vec<u16> = taken.iter().flat_map(|ports| [ports.client, ports.controller]).collect();
        ports.sort_unstable();
        ports.dedup();
        assert_eq!(ports.len(), 6);
    }
}
