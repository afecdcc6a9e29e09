//! How a command ends: exit codes, and errors as people read them.

use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::{Error, anyhow};
use headroom_node::RunError;
use headroom_node::snapshot::SnapshotError;
use headroom_sources::SourceError;
use headroom_store::StoreError;

use crate::rules_dir;

/// How a command ended that could do its work.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// 0: as asked.
    Done,
    /// 1: it found something wrong with its input, and said so.
    Findings,
}

/// The command line asks for something that does not exist (exit code 2), where clap cannot know it.
#[derive(Debug)]
pub struct Usage(pub String);

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

/// An error with a code that has a page.
#[derive(Debug)]
pub struct Coded {
    /// Its code.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for Coded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Coded {}

/// An error of the running shard as it is reported; what is wrong with a ruleset stands on stderr.
pub fn of_run(error: RunError) -> Error {
    match (error.code(), error) {
        (_, RunError::Ruleset(reports)) => {
            rules_dir::show(&reports);
            anyhow!("the ruleset has errors")
        }
        (_, RunError::Store(error)) => error.into(),
        (_, RunError::Source(error)) => error.into(),
        (Some(code), error) => Coded { code, message: error.to_string() }.into(),
        (None, error) => error.into(),
    }
}

/// An error of snapshots as it is reported.
pub fn of_snapshot(error: SnapshotError) -> Error {
    match error {
        SnapshotError::Store(error) => error.into(),
        error => {
            let message = match std::error::Error::source(&error) {
                Some(cause) => format!("{error}: {cause}"),
                None => error.to_string(),
            };
            Coded { code: error.code(), message }.into()
        }
    }
}

/// Prints an error with all its causes on one line, and where to read on. The exit code follows from the cause.
pub fn report(error: &Error) -> ExitCode {
    if is_closed_pipe(error) {
        return ExitCode::SUCCESS;
    }
    let mut text = match code(error) {
        Some(code) => format!("error[{code}]: {}\nsee: headroom explain {code}\n", chain(error)),
        None => format!("error: {}\n", chain(error)),
    };
    if error.downcast_ref::<Usage>().is_some() {
        text.push_str("\nFor more information, try '--help'.\n");
    }
    // There is nobody left to tell when stderr is gone.
    let _ = io::stderr().write_all(text.as_bytes());
    ExitCode::from(exit_code(error))
}

/// The causes from the outermost to the innermost; one that only repeats the text of the one before is left out.
fn chain(error: &Error) -> String {
    let mut text = String::new();
    let mut last = String::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        if cause != last {
            let separator = if text.is_empty() { "" } else { ": " };
            text.push_str(separator);
            text.push_str(&cause);
        }
        last = cause;
    }
    text
}

/// `headroom … | head`: whoever reads us has seen enough.
fn is_closed_pipe(error: &Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|each| each.kind() == io::ErrorKind::BrokenPipe)
}

fn code(error: &Error) -> Option<&'static str> {
    let coded = error.downcast_ref::<Coded>().map(|each| each.code);
    coded.or_else(|| error.downcast_ref::<StoreError>().map(StoreError::code))
}

fn exit_code(error: &Error) -> u8 {
    match error.downcast_ref::<StoreError>() {
        Some(StoreError::Sealed { .. }) => return 4,
        Some(_) => return 3,
        None => {}
    }
    match error.downcast_ref::<SourceError>() {
        Some(SourceError::Io { action: "write", .. }) => 3,
        Some(SourceError::UnknownFormat { .. }) => 2,
        Some(_) => 1,
        None if error.downcast_ref::<Usage>().is_some() => 2,
        None => 1,
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    #[test]
    fn the_exit_code_follows_from_the_cause() {
        let sealed: Error = StoreError::Sealed { cause: "full".into() }.into();
        let foreign: Error = StoreError::NotADataDirectory { dir: "d".into() }.into();
        let format: Error = SourceError::UnknownFormat { path: "x.txt".into() }.into();
        let usage: Error = Usage("no".into()).into();
        let codes = [sealed, foreign, format, usage].map(|error| exit_code(&error.context("while looking")));
        assert_eq!(codes, [4, 3, 2, 2]);
        assert_eq!(exit_code(&anyhow::anyhow!("other")), 1);
    }

    #[test]
    fn the_whole_chain_is_told_once() {
        let error = io::Error::other("disk on fire");
        let result: Result<(), Error> = Err(error).context("cannot read `a`").context("cannot read `a`");
        assert_eq!(chain(&result.unwrap_err()), "cannot read `a`: disk on fire");
    }
}
