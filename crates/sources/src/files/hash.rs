use std::fs::File;
use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::SourceError;

const CHUNK_BYTES: usize = 1 << 18;

/// SHA-256 of the file's bytes as stored (compressed if it is), lower-case hex. Reads the file once.
///
/// # Errors
/// The file cannot be read.
pub fn content_hash(path: &Path) -> Result<String, SourceError> {
    let hash = || {
        let mut file = File::open(path)?;
        let mut hasher = Sha256::new();
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            match file.read(&mut chunk)? {
                0 => return Ok(hasher),
                length => hasher.update(&chunk[..length]),
            }
        }
    };
    hash().map(hex).map_err(SourceError::reading(path))
}

/// What `hasher` has seen, as lower-case hex.
pub(super) fn hex(hasher: Sha256) -> String {
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_sha_256_in_hex() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), b"abc").unwrap();
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(content_hash(file.path()).unwrap(), expected);
    }
}
