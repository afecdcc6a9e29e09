//! Events to send: a generated season, in chunks of one request each.

use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::process::Command;

use headroom_wire::proto::output::Body;
use tempfile::TempDir;

/// Events in one request.
const CHUNK: usize = 40;

/// A season as a file and as requests.
pub struct Season {
    file: PathBuf,
    chunks: Vec<String>,
    _dir: TempDir,
}

impl Season {
    /// Two months up to Double 11, with its promotion and everything that timers do.
    pub fn generate() -> Self {
        let dir = TempDir::new().unwrap();
        let file = dir.path().join("season.ndjson");
        let made = Command::new(env!("CARGO_BIN_EXE_headroom"))
            .args(["generate", "--accounts", "120", "--days", "60", "--seed", "5", "--quiet", "--output"])
            .arg(&file)
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let lines: Vec<String> =
            std::io::BufReader::new(std::fs::File::open(&file).unwrap()).lines().map(Result::unwrap).collect();
        Self { file, chunks: chunks(&lines), _dir: dir }
    }

    pub fn file(&self) -> &Path {
        &self.file
    }

    pub fn chunks(&self) -> &[String] {
        &self.chunks
    }
}

fn chunks(lines: &[String]) -> Vec<String> {
    lines.chunks(CHUNK).map(|chunk| chunk.join("\n") + "\n").collect()
}

/// An output as text, without where its record stood: an event that came again stands elsewhere.
pub fn without_position(bytes: &[u8]) -> String {
    let mut output = headroom_wire::output_from_protobuf(bytes).unwrap();
    let trigger = match output.body.as_mut() {
        Some(Body::LimitChange(each)) => each.trigger.as_mut(),
        Some(Body::Offer(each)) => each.trigger.as_mut(),
        Some(Body::Review(each)) => each.trigger.as_mut(),
        Some(Body::DeadLetter(each)) => {
            each.offset = 0;
            None
        }
        _ => None,
    };
    if let Some(trigger) = trigger {
        trigger.offset = 0;
    }
    let mut json = Vec::new();
    headroom_wire::output_to_json(&output, &mut json).unwrap();
    String::from_utf8(json).unwrap()
}

/// Moments to kill at: a generator of its own, so that a failure can be repeated.
pub struct Moments(u64);

impl Moments {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A step of xorshift64*.
    pub fn next_below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) % bound
    }
}
