//! Crates depend downwards only.

use xtask::{Manifest, arrow_findings, folders, read, report};

#[test]
fn no_arrow_goes_up() {
    let crates = folders("crates");
    let manifest = |name: &String| Manifest::parse(name, &read(&format!("crates/{name}/Cargo.toml")));
    let findings: Vec<String> = crates.iter().flat_map(|name| arrow_findings(&manifest(name))).collect();
    report("crates stand on what is below them", &findings);
}
