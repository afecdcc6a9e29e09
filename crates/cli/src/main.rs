//! `headroom`: one file per subcommand. Data goes to stdout, everything else to stderr.

mod client;
mod commands;
mod data_dir;
mod failure;
mod kafka;
mod output;
mod progress;
mod rules_dir;
mod settings;
mod zone;

use std::process::ExitCode;

use clap::Parser;

use commands::Command;
use failure::{Status, Usage};
use output::{Format, Output};

/// A third of the time of a step went into glibc's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Decides, within milliseconds of an event, how much credit an account may use.
#[derive(Parser)]
#[command(name = "headroom", version, about, max_term_width = 100, subcommand_required = true)]
struct Arguments {
    #[command(flatten)]
    output: Output,
    #[command(subcommand)]
    command: Command,
}

fn main() -> ExitCode {
    let Arguments { output, command } = Arguments::parse();
    if output.format == Format::Html && !command.has_page() {
        return failure::report(&Usage(output::NO_PAGE.to_owned()).into());
    }
    match command.run(&output) {
        Ok(Status::Done) => ExitCode::SUCCESS,
        Ok(Status::Findings) => ExitCode::from(1),
        Err(error) => failure::report(&error),
    }
}
