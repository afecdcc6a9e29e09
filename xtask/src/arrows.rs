//! Which crate may stand on which. An arrow that is not in the table fails, and so does a crate that has no row.

use toml::{Table, Value};

/// What a crate may depend on: always, and in its tests besides.
struct Row {
    name: &'static str,
    on: &'static [&'static str],
    in_tests: &'static [&'static str],
}

const ROWS: [Row; 13] = [
    row("policy", &[]),
    row("engine", &["policy"]),
    row("wire", &["policy", "engine"]),
    row("store", &["policy", "engine", "wire"]),
    row("conflicts", &["policy", "engine"]),
    row("control", &["policy", "engine"]),
    row("models", &["policy", "engine"]),
    row("sources", &["policy", "engine", "wire"]),
    row("replay", &["policy", "engine", "wire"]),
    row("sim", &["policy", "engine", "wire"]),
    row("kafka-broker", &[]),
    Row { name: "node", on: BELOW_NODE, in_tests: &["sim", "kafka-broker"] },
    Row { name: "cli", on: BELOW_CLI, in_tests: &["kafka-broker"] },
];

const BELOW_NODE: &[&str] =
    &["policy", "engine", "wire", "store", "conflicts", "control", "models", "sources", "replay"];
const BELOW_CLI: &[&str] =
    &["policy", "engine", "wire", "store", "conflicts", "control", "models", "sources", "replay", "sim", "node"];

/// Libraries that one crate alone knows; in tests they are free.
const SOLE_OWNERS: [(&str, &str); 9] = [
    ("rocksdb", "store"),
    ("prost", "wire"),
    ("z3", "conflicts"),
    ("parquet", "sources"),
    ("arrow", "sources"),
    ("csv", "sources"),
    ("tokio", "node"),
    ("rdkafka", "node"),
    ("axum", "node"),
];

const fn row(name: &'static str, on: &'static [&'static str]) -> Row {
    Row { name, on, in_tests: &[] }
}

/// A crate's dependencies, as its manifest names them.
#[derive(Debug, PartialEq, Eq)]
pub struct Manifest {
    /// Short name: the folder under `crates/`.
    pub name: String,
    /// Packages under `dependencies` and `build-dependencies`, for any target.
    pub normal: Vec<String>,
    /// Packages under `dev-dependencies`, for any target.
    pub dev: Vec<String>,
}

impl Manifest {
    /// Reads the `Cargo.toml` of the crate in folder `name`; panics where it is not TOML.
    pub fn parse(name: &str, text: &str) -> Self {
        let table: Table = text.parse().unwrap_or_else(|error| panic!("crates/{name}/Cargo.toml: {error}"));
        let targets = table.get("target").and_then(Value::as_table).into_iter().flat_map(Table::values);
        let sections: Vec<&Table> = std::iter::once(&table).chain(targets.filter_map(Value::as_table)).collect();
        let packages = |kinds: &[&str]| {
            kinds.iter().flat_map(|kind| sections.iter().flat_map(|table| named(table, kind))).collect()
        };
        Self {
            name: name.to_string(),
            normal: packages(&["dependencies", "build-dependencies"]),
            dev: packages(&["dev-dependencies"]),
        }
    }
}

/// Package names in one section; a rename (`package = "…"`) counts as what it renames.
fn named(table: &Table, section: &str) -> Vec<String> {
    let entries = table.get(section).and_then(Value::as_table).into_iter().flatten();
    entries.map(|(key, value)| value.get("package").and_then(Value::as_str).unwrap_or(key).to_string()).collect()
}

/// Everything in the crate's dependencies that the order of crates does not allow.
pub fn findings(manifest: &Manifest) -> Vec<String> {
    let Some(row) = ROWS.iter().find(|row| row.name == manifest.name) else {
        return vec![format!("{}: has no row in xtask/src/arrows.rs: give it its place", manifest.name)];
    };
    let up = manifest.normal.iter().filter(|package| !allowed(package, row.on));
    let up_in_tests =
        manifest.dev.iter().filter(|package| !allowed(package, row.on) && !allowed(package, row.in_tests));
    let foreign = manifest.normal.iter().filter_map(|package| foreign(row.name, package));
    up.map(|package| format!("{} → {package}: this arrow goes up", row.name))
        .chain(up_in_tests.map(|package| format!("{} → {package}: this arrow goes up, in tests too", row.name)))
        .chain(foreign)
        .collect()
}

fn allowed(package: &str, on: &[&str]) -> bool {
    internal(package).is_none_or(|name| on.contains(&name))
}

/// The short name of a package of ours; `None` for a library.
fn internal(package: &str) -> Option<&str> {
    match package {
        "headroom" => Some("cli"),
        "xtask" => Some("xtask"),
        _ => package.strip_prefix("headroom-"),
    }
}

fn foreign(name: &str, package: &str) -> Option<String> {
    let (library, owner) = SOLE_OWNERS.into_iter().find(|(library, _)| *library == package)?;
    (owner != name).then(|| format!("{name} → {library}: only {owner} knows it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings_of(name: &str, text: &str) -> Vec<String> {
        findings(&Manifest::parse(name, text))
    }

    #[test]
    fn arrows_that_go_down_pass() {
        let text =
            "[dependencies]\nheadroom-policy.workspace = true\ncel = \"1\"\n[dev-dependencies]\nproptest = \"1\"";
        assert!(findings_of("engine", text).is_empty());
        assert!(findings_of("node", "[dev-dependencies]\nheadroom-sim = { path = \"../sim\" }").is_empty());
    }

    #[test]
    fn arrows_that_go_up_are_named() {
        assert_eq!(
            findings_of("engine", "[dependencies]\nheadroom-wire.workspace = true"),
            ["engine → headroom-wire: this arrow goes up"]
        );
        assert_eq!(
            findings_of("policy", "[dev-dependencies]\nheadroom-engine.workspace = true"),
            ["policy → headroom-engine: this arrow goes up, in tests too"]
        );
        assert_eq!(findings_of("node", "[dependencies]\nheadroom.workspace = true").len(), 1);
        assert_eq!(findings_of("node", "[dependencies]\nheadroom-sim.workspace = true").len(), 1);
        assert_eq!(findings_of("cli", "[dependencies]\nxtask.workspace = true").len(), 1);
    }

    #[test]
    fn renames_build_scripts_and_targets_hide_nothing() {
        let text = "[build-dependencies]\nx = { package = \"headroom-node\", path = \"\" }\n\
                    [target.'cfg(unix)'.dependencies]\nheadroom-store.workspace = true";
        let mut found = findings_of("wire", text);
        found.sort();
        assert_eq!(found, ["wire → headroom-node: this arrow goes up", "wire → headroom-store: this arrow goes up"]);
    }

    #[test]
    fn a_crate_without_a_row_and_a_library_out_of_place() {
        assert_eq!(findings_of("misc", "").len(), 1);
        assert_eq!(findings_of("cli", "[dependencies]\nrocksdb = \"1\""), ["cli → rocksdb: only store knows it"]);
        assert!(findings_of("cli", "[dev-dependencies]\nrocksdb = \"1\"").is_empty());
    }
}
