//! `docs/CONFIGURATION.md`, made of the embedded defaults.

use std::fmt::Write;

use super::load::DEFAULT_CONFIG;

const HEAD: &str = "\
# Configuration

<!-- Made from crates/node/src/config/default.toml: `UPDATE_EXPECT=1 cargo test --release -p headroom-node --test generated` writes it anew. -->

`headroom serve` reads one TOML file, named by `--config`; settings that it does not mention have the defaults below.
`--set key=value` stands above the file, like `--set http.listen=127.0.0.1:9000`.
`headroom config show` prints what is in force and where it came from; `headroom config check FILE` lists everything that is wrong with a file.

Durations are whole numbers with `ms`, `s`, `m`, `h` or `d`; sizes are whole numbers with `B`, `KiB`, `MiB`, `GiB` or `TiB`.
Unknown keys (HR0501), values of a wrong type or unit (HR0502), values out of range (HR0503), files that are no TOML (HR0504)
and settings that exclude each other (HR0505) stop the start, all told at once.
";

/// The page: for each section a table of its settings.
pub fn configuration_page() -> String {
    let mut page = HEAD.to_owned();
    let mut comment = String::new();
    let mut rows = false;
    for line in DEFAULT_CONFIG.lines() {
        if let Some(text) = line.strip_prefix("# ") {
            text.clone_into(&mut comment);
        } else if let Some(name) = line.strip_prefix('[') {
            write!(page, "\n## `[{name}`\n\n{comment}\n").expect("into a string");
            rows = false;
        } else if let Some((key, value)) = line.split_once(" = ") {
            if !rows {
                page.push_str("\n| setting | default | meaning |\n|---|---|---|\n");
                rows = true;
            }
            writeln!(page, "| `{key}` | `{value}` | {comment} |").expect("into a string");
        }
    }
    page
}
