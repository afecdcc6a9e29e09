//! `headroom dead-letters replay`: into a running service, or into a data directory that nobody runs on.

use std::path::PathBuf;

use anyhow::{Error, Result};
use clap::{Args, ValueEnum};
use headroom_node::LogTime;
use headroom_node::view::Item;
use headroom_wire::proto::output::Body;
use headroom_wire::proto::{self, DeadLetter};

use crate::client::Client;
use crate::failure::{Status, Usage};
use crate::output::Output;
use crate::progress;
use crate::settings::Settings;

use super::letter::{Selection, id, is_replayable};
use super::offline::Offline;
use super::online;
use super::read::{from_reader, from_server, from_topics};
use super::topics::Topics;

/// Where to, and which.
#[derive(Args)]
pub struct Command {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    settings: Settings,
    /// Whose time the records get in a data directory, or in topics of the development profile
    #[arg(long, value_name = "WHOSE", default_value = "recorded", conflicts_with = "server")]
    time: Time,
    #[command(flatten)]
    selection: Selection,
    /// All of them
    #[arg(long, conflicts_with_all = ["code", "account", "id"])]
    all: bool,
}

/// Where they are kept, and go again.
#[derive(Args)]
#[group(required = true, multiple = false)]
struct Target {
    /// A data directory that nobody runs on
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// A running service, such as http://127.0.0.1:8090
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// The topics of the settings: originals go where they came from, and nodes decide them in their turn
    #[arg(long)]
    kafka: bool,
}

/// Whose time a record gets.
#[derive(Clone, Copy, ValueEnum)]
enum Time {
    /// Its own
    Recorded,
    /// This machine's, as a running service would do
    Append,
}

/// What became of one of them.
pub struct Replayed {
    pub letter: DeadLetter,
    /// "accepted", "sent" to its topic, "refused again" as another dead letter, "rejected" before it was taken, or "not
    /// replayable".
    pub verdict: &'static str,
    /// Why it was refused or rejected.
    pub code: String,
    /// In words.
    pub detail: String,
    /// What came out.
    pub outputs: Vec<String>,
}

impl Replayed {
    /// Without anything to tell beside the verdict.
    pub fn of(letter: DeadLetter, verdict: &'static str) -> Self {
        Self { letter, verdict, code: String::new(), detail: String::new(), outputs: Vec::new() }
    }

    /// Of one that was taken, by what came out.
    pub fn decided(letter: DeadLetter, outputs: Vec<proto::Output>) -> Self {
        let bodies: Vec<Body> = outputs.into_iter().filter_map(|each| each.body).collect();
        let outputs = bodies.iter().map(name).collect();
        let refused = bodies.into_iter().find_map(|body| match body {
            Body::DeadLetter(again) => Some(again),
            _ => None,
        });
        match refused {
            Some(DeadLetter { code, detail, .. }) => {
                Self { code, detail, outputs, ..Self::of(letter, "refused again") }
            }
            None => Self { outputs, ..Self::of(letter, "accepted") },
        }
    }
}

impl Command {
    /// Does it. Findings: some were refused again, or are not whole.
    pub fn run(&self, output: &Output) -> Result<Status> {
        if self.selection.is_empty() && !self.all {
            return Err(Usage("say which: `--code`, `--account`, `--id`, or `--all`".to_owned()).into());
        }
        match (&self.target.data_dir, &self.target.server) {
            (Some(dir), _) => {
                let time = match self.time {
                    Time::Recorded => LogTime::Recorded,
                    Time::Append => LogTime::Append,
                };
                let offline = Offline::open(dir, time)?;
                self.replay(output, self.letters_of(&offline)?, |letter| offline.replay(letter))
            }
            (None, None) => self.replay_in_topics(output),
            (None, server) => {
                let client = Client::new(server.as_deref().unwrap_or_default())?;
                self.replay(output, self.letters_at(&client)?, |letter| online::replay(&client, letter))
            }
        }
    }

    /// One after the other as they are read: what nodes refuse again meanwhile comes behind the end.
    fn replay_in_topics(&self, output: &Output) -> Result<Status> {
        let config = self.settings.load()?.kafka;
        let topics = Topics::connect(&config, matches!(self.time, Time::Recorded))?;
        let bar = progress::count(output).with_message("records");
        let mut replayed = Vec::new();
        let read = from_topics(&config, |letter| {
            if self.selection.takes(&letter) {
                replayed.push(topics.replay(letter)?);
                bar.inc(1);
            }
            Ok(true)
        });
        let delivered = topics.finish();
        bar.finish_and_clear();
        tell(output, &replayed, read.and(delivered).err())
    }

    /// All of them first: a replay makes new ones.
    fn letters_at(&self, client: &Client) -> Result<Vec<DeadLetter>> {
        let mut letters = Vec::new();
        from_server(client, |letter| Ok(self.select(&mut letters, letter)))?;
        Ok(letters)
    }

    fn letters_of(&self, offline: &Offline) -> Result<Vec<DeadLetter>> {
        let mut letters = Vec::new();
        for reader in offline.readers() {
            from_reader(&reader, &mut |letter| Ok(self.select(&mut letters, letter)))?;
        }
        Ok(letters)
    }

    /// True: goes on to the next.
    fn select(&self, letters: &mut Vec<DeadLetter>, letter: DeadLetter) -> bool {
        if self.selection.takes(&letter) {
            letters.push(letter);
        }
        true
    }

    fn replay(
        &self,
        output: &Output,
        letters: Vec<DeadLetter>,
        replay: impl Fn(DeadLetter) -> Result<Replayed>,
    ) -> Result<Status> {
        let bar = progress::count(output).with_message("records");
        let mut replayed = Vec::new();
        let mut failure = None;
        for letter in letters {
            let told = if is_replayable(&letter) { replay(letter) } else { Ok(cut(letter)) };
            match told {
                Ok(each) => replayed.push(each),
                Err(error) => {
                    failure = Some(error);
                    break;
                }
            }
            bar.inc(1);
        }
        bar.finish_and_clear();
        tell(output, &replayed, failure)
    }
}

/// What was done is told even if the rest could not be.
fn tell(output: &Output, replayed: &[Replayed], failure: Option<Error>) -> Result<Status> {
    output.print(&Item::fields([("replayed", Item::list(replayed.iter().map(row)))]))?;
    match failure {
        Some(error) => Err(error),
        None if replayed.iter().all(|each| ["accepted", "sent"].contains(&each.verdict)) => Ok(Status::Done),
        None => Ok(Status::Findings),
    }
}

/// What is told of a letter that cannot be sent again.
pub fn cut(letter: DeadLetter) -> Replayed {
    let detail = format!("only the first {} bytes are kept", letter.original.len());
    Replayed { detail, ..Replayed::of(letter, "not replayable") }
}

fn row(replayed: &Replayed) -> Item {
    let some = |text: &str| Item::from(Some(text).filter(|text| !text.is_empty()));
    Item::fields([
        ("id", id(&replayed.letter).into()),
        ("account", some(&replayed.letter.account_id)),
        ("was", replayed.letter.code.as_str().into()),
        ("verdict", replayed.verdict.into()),
        ("code", some(&replayed.code)),
        ("detail", some(&replayed.detail)),
        ("outputs", some(&replayed.outputs.join(", "))),
    ])
}

/// An output in few words, such as "block_changed of M1".
fn name(body: &Body) -> String {
    match body {
        Body::LimitChange(change) => {
            let kind = change.kind().as_str_name().trim_start_matches("KIND_").to_ascii_lowercase();
            format!("{kind} of {}", change.account_id)
        }
        Body::Offer(offer) => format!("offer to {}", offer.account_id),
        Body::Review(review) => format!("review {} of {}", review.kind, review.account_id),
        Body::Notice(notice) => format!("notice {} to {}", notice.template, notice.account_id),
        Body::DeadLetter(letter) => format!("dead letter {}", letter.code),
    }
}
