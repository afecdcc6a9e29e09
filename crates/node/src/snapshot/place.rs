//! Where snapshots are kept: objects under names, in a folder or in a bucket.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt;
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    BackoffConfig, ClientOptions, ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload, RetryConfig,
};

use super::error::SnapshotError;
use crate::config::SnapshotsConfig;

/// Of one request: as long as a part takes over a slow line.
const REQUEST_TIME: Duration = Duration::from_secs(120);
/// After a failure, with pauses that grow from the first to the longest: some twenty seconds in all.
const TRIES_MAX: usize = 8;
const PAUSE_FIRST: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(10);

/// A folder or a bucket.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub objects: Arc<dyn ObjectStore>,
    root: Path,
}

impl Place {
    /// # Errors
    /// HR0701.
    pub fn open(config: &SnapshotsConfig) -> Result<Self, SnapshotError> {
        let refused = |why: String| SnapshotError::Place { url: config.url.clone(), why };
        match config.url.split_once("://") {
            Some(("file", folder)) => {
                fs::create_dir_all(folder).map_err(|error| refused(error.to_string()))?;
                let objects = LocalFileSystem::new_with_prefix(folder).map_err(|error| refused(error.to_string()))?;
                Ok(Self { objects: Arc::new(objects.with_fsync(true)), root: Path::default() })
            }
            Some(("s3", place)) => {
                let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
                let objects = s3(config, bucket)?.build().map_err(|error| refused(error.to_string()))?;
                Ok(Self { objects: Arc::new(objects), root: Path::from(prefix) })
            }
            _ => Err(refused("`snapshots.url` names no place".to_owned())),
        }
    }

    pub fn cluster(&self, cluster: &str) -> Path {
        self.root.clone().join(cluster)
    }

    /// Names of the folders below another.
    pub async fn folders(&self, under: Option<&Path>) -> Result<Vec<String>, SnapshotError> {
        let under = under.unwrap_or(&self.root);
        let found = self.objects.list_with_delimiter(Some(under)).await;
        let found = found.map_err(SnapshotError::remote("list", under))?;
        Ok(found.common_prefixes.iter().filter_map(|path| path.filename().map(str::to_owned)).collect())
    }

    pub async fn list(&self, under: &Path) -> Result<Vec<ObjectMeta>, SnapshotError> {
        self.objects.list(Some(under)).try_collect().await.map_err(SnapshotError::remote("list", under))
    }

    /// All of a small object; `None`: there is none.
    pub async fn get(&self, path: &Path) -> Result<Option<Vec<u8>>, SnapshotError> {
        let failed = SnapshotError::remote("read", path);
        match self.objects.get(path).await {
            Ok(found) => Ok(Some(found.bytes().await.map_err(failed)?.to_vec())),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    /// Writes an object that must not be there yet; says whether it was not.
    pub async fn create(&self, path: &Path, bytes: Vec<u8>) -> Result<bool, SnapshotError> {
        let how = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        match self.objects.put_opts(path, PutPayload::from(bytes), how).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::AlreadyExists { .. }) => Ok(false),
            Err(error) => Err(SnapshotError::remote("write", path)(error)),
        }
    }

    /// What is gone already is no failure.
    pub async fn delete(&self, paths: Vec<Path>) -> Result<(), SnapshotError> {
        for path in paths {
            match self.objects.delete(&path).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(SnapshotError::remote("delete", &path)(error)),
            }
        }
        Ok(())
    }
}

/// Credentials and region of the environment (`AWS_…`, or the machine's role), under those of the settings.
fn s3(config: &SnapshotsConfig, bucket: &str) -> Result<AmazonS3Builder, SnapshotError> {
    let backoff = BackoffConfig { init_backoff: PAUSE_FIRST, max_backoff: PAUSE_MAX, ..BackoffConfig::default() };
    let retry = RetryConfig { backoff, max_retries: TRIES_MAX, ..RetryConfig::default() };
    let client = ClientOptions::new().with_timeout(REQUEST_TIME).with_allow_http(config.s3_allow_http);
    let mut builder =
        AmazonS3Builder::from_env().with_bucket_name(bucket).with_client_options(client).with_retry(retry);
    if !config.s3_endpoint.is_empty() {
        builder = builder.with_endpoint(&config.s3_endpoint);
    }
    if !config.s3_region.is_empty() {
        builder = builder.with_region(&config.s3_region);
    }
    if !config.s3_access_key_file.as_os_str().is_empty() {
        builder = builder
            .with_access_key_id(secret(&config.s3_access_key_file)?)
            .with_secret_access_key(secret(&config.s3_secret_key_file)?);
    }
    Ok(builder)
}

fn secret(path: &std::path::Path) -> Result<String, SnapshotError> {
    let text = fs::read_to_string(path);
    let text = text.map_err(|source| SnapshotError::Credentials { path: path.to_owned(), source })?;
    Ok(text.trim().to_owned())
}
