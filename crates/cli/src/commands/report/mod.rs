//! `headroom report`: the file of `run --report` as one HTML page that needs nothing else, neither network nor script.

mod chart;
pub mod html;
mod number;
mod page;
mod sections;
mod sent;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use headroom_node::view::Item;
use headroom_node::{REPORT_FORMAT, RunReport};
use serde::de::DeserializeOwned;

use crate::failure::Status;
use crate::output::Output;

use page::page;
use sent::Sent;

/// What to draw, and where the page goes.
#[derive(Args)]
pub struct Command {
    /// What `headroom run --report` wrote
    #[arg(value_name = "FILE.json")]
    file: PathBuf,
    /// What `headroom send --format json` printed: the page then tells of latency too
    #[arg(long, value_name = "SEND.json")]
    http: Option<PathBuf>,
    /// The page
    #[arg(long, value_name = "PAGE.html")]
    out: PathBuf,
}

impl Command {
    /// Does it.
    pub fn run(&self, output: &Output) -> Result<Status> {
        let report: RunReport = read(&self.file, "`headroom run --report`")?;
        if report.format != REPORT_FORMAT {
            let (path, found) = (self.file.display(), report.format);
            bail!("`{path}` has the form {found}; this program reads the form {REPORT_FORMAT}");
        }
        let sent: Option<Sent> =
            self.http.as_deref().map(|path| read(path, "`headroom send --format json`")).transpose()?;
        let page = page(&report, sent.as_ref(), &self.sources());
        fs::write(&self.out, &page).with_context(|| format!("cannot write `{}`", self.out.display()))?;
        output.print(&Item::fields([
            ("page", self.out.display().to_string().into()),
            ("bytes", page.len().into()),
            ("days", report.days.len().into()),
            ("records", report.records.into()),
        ]))?;
        Ok(Status::Done)
    }

    /// The files that the page is made of.
    fn sources(&self) -> Vec<String> {
        [Some(&self.file), self.http.as_ref()].into_iter().flatten().map(|path| path.display().to_string()).collect()
    }
}

fn read<T: DeserializeOwned>(path: &Path, made_by: &str) -> Result<T> {
    let text = fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("`{}` is not what {made_by} writes", path.display()))
}
