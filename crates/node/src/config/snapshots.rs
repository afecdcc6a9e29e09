//! `[snapshots]`: where copies of shards go. What each setting is for stands in `default.toml`; its range stands here.

use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use super::layer::Raw;
use super::reader::{Flaw, Reader};
use super::{as_text, names};

/// `[snapshots]`: where copies of shards go.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct SnapshotsConfig {
    /// `file:///…` or `s3://bucket/prefix`; empty: no snapshots.
    pub url: String,
    /// How often a shard is copied.
    #[serde(serialize_with = "as_text::duration")]
    pub every: Duration,
    /// Snapshots of a shard that are kept, at least one.
    pub keep: usize,
    /// Age below which a file that no snapshot names is kept.
    #[serde(serialize_with = "as_text::duration")]
    pub grace: Duration,
    /// Address of a service that speaks S3; empty: Amazon's.
    pub s3_endpoint: String,
    /// Its region; empty: of the environment.
    pub s3_region: String,
    /// Whether `s3_endpoint` may be without TLS.
    pub s3_allow_http: bool,
    /// Holds the access key's id; empty: credentials of the environment.
    pub s3_access_key_file: PathBuf,
    /// Holds the secret access key.
    pub s3_secret_key_file: PathBuf,
}

impl SnapshotsConfig {
    pub(super) fn read(from: &mut Reader) -> Self {
        Self {
            url: from.get("snapshots.url", url),
            every: from.duration("snapshots.every", "10s", "7d"),
            keep: from.number("snapshots.keep", 1..=1000),
            grace: from.duration("snapshots.grace", "1m", "365d"),
            s3_endpoint: from.get("snapshots.s3_endpoint", |raw| names::web_address("snapshots.s3_endpoint", raw)),
            s3_region: from.text("snapshots.s3_region"),
            s3_allow_http: from.flag("snapshots.s3_allow_http"),
            s3_access_key_file: from.text("snapshots.s3_access_key_file").into(),
            s3_secret_key_file: from.text("snapshots.s3_secret_key_file").into(),
        }
    }

    pub(super) fn conflicts(&self, reader: &mut Reader) {
        if self.s3_endpoint.starts_with("http://") && !self.s3_allow_http {
            let message = format!("`snapshots.s3_endpoint` is `{}`, without TLS", self.s3_endpoint);
            let help = "write an `https` address, or set `snapshots.s3_allow_http = true`";
            reader.conflict(&["snapshots.s3_endpoint", "snapshots.s3_allow_http"], message, help);
        }
        let files = [&self.s3_access_key_file, &self.s3_secret_key_file].map(|path| path.as_os_str().is_empty());
        if files[0] != files[1] {
            let message =
                "one of `snapshots.s3_access_key_file` and `snapshots.s3_secret_key_file` is missing".to_owned();
            let help = "name both, or neither: then credentials are those of the environment";
            reader.conflict(&["snapshots.s3_access_key_file", "snapshots.s3_secret_key_file"], message, help);
        }
    }
}

fn url(raw: &Raw) -> Result<String, Flaw> {
    let help = "write `\"file:///a/folder\"`, `\"s3://bucket/prefix\"`, or nothing";
    match raw {
        Raw::Text(text) if text.is_empty() || is_url(text) => Ok(text.clone()),
        other => Err(Flaw::form("snapshots.url", "a place for snapshots", other, help)),
    }
}

fn is_url(text: &str) -> bool {
    let path =
        |path: &str| path.split('/').all(|part| part.chars().all(names::is_plain) && part != ".." && part != ".");
    match text.split_once("://") {
        Some(("file", folder)) => folder.starts_with('/') && folder.len() > 1,
        Some(("s3", place)) => !place.starts_with('/') && !place.is_empty() && path(place),
        _ => false,
    }
}
