//! Generates the message types and their JSON mapping from `proto/headroom/v1`. Pure Rust: no `protoc` is needed.

#![expect(clippy::disallowed_methods, reason = "a build script reads and writes files; the crate itself is pure")]

use std::path::{Path, PathBuf};
use std::{env, fs};

use prost::Message as _;

type Failure = Box<dyn std::error::Error>;

const PACKAGE: &str = ".headroom.v1";
const TIMESTAMP: &str = ".google.protobuf.Timestamp";
const OWN_TIMESTAMP: &str = "crate::timestamp::Timestamp";

fn main() -> Result<(), Failure> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../../proto");
    println!("cargo::rerun-if-changed={}", root.display());
    let descriptors = protox::compile(files_of(&root)?, [&root])?;
    let encoded = descriptors.encode_to_vec();
    fs::write(Path::new(&env::var("OUT_DIR")?).join("descriptors.bin"), &encoded)?;
    prost_build::Config::new().extern_path(TIMESTAMP, OWN_TIMESTAMP).btree_map([PACKAGE]).compile_fds(descriptors)?;
    pbjson_build::Builder::new()
        .register_descriptors(&encoded)?
        .extern_path(TIMESTAMP, OWN_TIMESTAMP)
        .btree_map([PACKAGE])
        .preserve_proto_field_names()
        .build(&[PACKAGE])?;
    Ok(())
}

/// Sorted, so that the descriptor set has the same bytes on every machine.
fn files_of(root: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut files = fs::read_dir(root.join("headroom/v1"))?
        .map(|entry| Ok(Path::new("headroom/v1").join(entry?.file_name())))
        .collect::<Result<Vec<_>, std::io::Error>>()?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "proto"));
    files.sort();
    Ok(files)
}
