//! Writing what came into the files of this repository.
#![expect(clippy::disallowed_methods, reason = "a test writes its data to disk; the crate itself never does")]

use crate::common::root;

/// Asked for by the variable `HEADROOM_BLESS`.
pub fn is_wanted() -> bool {
    std::env::var_os("HEADROOM_BLESS").is_some()
}

pub fn write(folder: &str, name: &str, text: &str) {
    std::fs::write(root().join(folder).join(name), text).expect("the file is written");
}
