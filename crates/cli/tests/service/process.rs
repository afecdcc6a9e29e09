//! What the kernel says of a process.

use std::fs;

/// The most memory that it ever had, in bytes.
pub fn memory_peak(id: u32) -> u64 {
    field(id, "VmHWM:") * 1024
}

/// The memory that it has, in bytes.
pub fn memory_now(id: u32) -> u64 {
    field(id, "VmRSS:") * 1024
}

/// Its threads.
pub fn threads(id: u32) -> usize {
    usize::try_from(field(id, "Threads:")).unwrap()
}

fn field(id: u32, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

/// Its open sockets.
pub fn sockets(id: u32) -> usize {
    let files = fs::read_dir(format!("/proc/{id}/fd")).unwrap();
    // One that is closed meanwhile is none.
    let targets = files.filter_map(|file| fs::read_link(file.ok()?.path()).ok());
    targets.filter(|target| target.to_string_lossy().starts_with("socket:")).count()
}
