//! `headroom changes show`: what happened to limits, as a list or told with everything around it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use headroom_engine::Ruleset;
use headroom_node::view::Item;
use headroom_wire::proto::output::Body;
use jiff::tz::TimeZone;

use crate::failure::Status;
use crate::output::{Format, Output};
use crate::rules_dir;

use super::details::details;
use super::entry::{Entry, Titles, entry};
use super::read;

/// Which changes, and how much of each.
#[derive(Args)]
pub struct Command {
    /// What `headroom run` wrote with --out
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Only those of this account
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    /// Decision by decision, with titles and what the customer is told
    #[arg(long)]
    details: bool,
    /// Show times in this IANA time zone
    #[arg(long, value_name = "ZONE", default_value = "UTC", value_parser = crate::zone::parse)]
    zone: TimeZone,
    /// The ruleset that has the titles of rules; without it the built-in one
    #[arg(long, value_name = "DIR")]
    rules: Option<PathBuf>,
}

impl Command {
    /// Does it. JSON has all details whether asked for or not.
    pub fn run(&self, output: &Output) -> Result<Status> {
        let titles = titles(&rules_dir::load_or_builtin(self.rules.as_deref())?);
        let entries = self.entries(&titles)?;
        if self.details && output.format == Format::Table {
            output.print_as(&Item::Null, &details(&entries))?;
        } else {
            let row = if output.format == Format::Json { Entry::item } else { Entry::row };
            output.print(&Item::fields([("changes", Item::list(entries.iter().map(row)))]))?;
        }
        Ok(Status::Done)
    }

    fn entries(&self, titles: &Titles) -> Result<Vec<Entry>> {
        let mut entries: Vec<Entry> = Vec::new();
        // A notice follows its change within the decision.
        let mut places = BTreeMap::new();
        let wanted = |account: &str| self.account.as_deref().is_none_or(|only| only == account);
        read(&self.file, |_, body| match body {
            Body::LimitChange(change) if wanted(&change.account_id) => {
                places.insert(change.id.clone(), entries.len());
                entries.push(entry(&change, titles, &self.zone));
            }
            Body::Notice(notice) if wanted(&notice.account_id) => {
                if let Some(place) = places.get(&notice.change_id) {
                    entries[*place].notice = Some(notice);
                }
            }
            _ => {}
        })?;
        Ok(entries)
    }
}

fn titles(ruleset: &Ruleset) -> Titles {
    let titled = |rule: &headroom_engine::Rule| (rule.id.to_string(), (rule.title_en.clone(), rule.title_zh.clone()));
    ruleset.rules.iter().map(titled).collect()
}
