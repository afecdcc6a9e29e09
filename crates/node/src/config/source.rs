//! Where a setting's value came from.

use std::fmt;

/// Where a setting's value came from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Source {
    /// Nobody set it.
    Default,
    /// A file.
    File {
        /// Its path.
        path: String,
        /// From 1.
        line: usize,
    },
    /// The command line.
    Set,
}

impl Source {
    /// The name of the command line's option, which stands for a file's name in findings.
    pub(super) const SET: &'static str = "--set";
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => write!(f, "{path}:{line}"),
            Self::Set => f.write_str(Self::SET),
        }
    }
}
