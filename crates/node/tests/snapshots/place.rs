//! Where the tests keep snapshots: a folder, or a bucket of a server that speaks S3.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use headroom_node::{Config, SnapshotsConfig};
use tempfile::TempDir;

const SKIPPED: i32 = 77;
/// Somebody; the server does not look closer.
const SOMEBODY: &str =
    "AWS4-HMAC-SHA256 Credential=somebody/20250101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=00";

/// Goes away with everything in it.
pub struct Place {
    dir: TempDir,
    /// The server, and its bucket's address.
    s3: Option<(Child, String)>,
}

impl Place {
    pub fn folder() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), s3: None }
    }

    /// `None` where no server can be had; with CI=true that is a failure.
    pub fn bucket() -> Option<Self> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/s3-local.sh");
        let mut server =
            Command::new(script).arg("serve").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut address = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut address).unwrap();
        if address.is_empty() {
            let status = server.wait().unwrap();
            assert_eq!(status.code(), Some(SKIPPED), "the server starts, or is not here");
            assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "a server that speaks S3 is needed");
            eprintln!("skipped: there is no server that speaks S3");
            return None;
        }
        let bucket = format!("{}/shards", address.trim());
        ureq::put(&bucket).send_empty().unwrap();
        Some(Self { dir: tempfile::tempdir().unwrap(), s3: Some((server, bucket)) })
    }

    /// Everything that no snapshot names is removed at once; two snapshots are kept.
    pub fn config(&self) -> SnapshotsConfig {
        let config = SnapshotsConfig { keep: 2, grace: Duration::ZERO, ..Config::default().snapshots };
        let Some((_, bucket)) = &self.s3 else {
            return SnapshotsConfig { url: format!("file://{}", self.objects().display()), ..config };
        };
        SnapshotsConfig {
            url: "s3://shards/all/of/them".to_owned(),
            s3_endpoint: bucket.strip_suffix("/shards").unwrap().to_owned(),
            s3_region: "us-east-1".to_owned(),
            s3_allow_http: true,
            s3_access_key_file: self.file("id", "somebody\n"),
            s3_secret_key_file: self.file("key", "something\n"),
            ..config
        }
    }

    /// A path for what a test makes beside the snapshots.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Replaces an object; `None` removes it.
    pub fn damage(&self, object: &str, bytes: Option<&[u8]>) {
        match (&self.s3, bytes) {
            (None, Some(bytes)) => fs::write(self.objects().join(object), bytes).unwrap(),
            (None, None) => fs::remove_file(self.objects().join(object)).unwrap(),
            (Some((_, bucket)), Some(bytes)) => {
                drop(
                    ureq::put(format!("{bucket}/all/of/them/{object}"))
                        .header("authorization", SOMEBODY)
                        .send(bytes)
                        .unwrap(),
                );
            }
            (Some((_, bucket)), None) => {
                drop(
                    ureq::delete(format!("{bucket}/all/of/them/{object}"))
                        .header("authorization", SOMEBODY)
                        .call()
                        .unwrap(),
                );
            }
        }
    }

    fn objects(&self) -> PathBuf {
        self.path("objects")
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some((server, _)) = &mut self.s3 {
            // The script ends with its stdin, and takes the server along.
            drop(server.stdin.take());
            let _ = server.wait();
        }
    }
}

/// Everything in a folder, by path.
pub fn files(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            found.extend(files(&entry));
        } else {
            found.push((entry.clone(), fs::read(&entry).unwrap()));
        }
    }
    found.sort();
    found
}
