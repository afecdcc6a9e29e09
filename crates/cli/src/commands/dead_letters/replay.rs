//! `headroom dead-letters replay`: to a running service. A data directory that nobody runs on has no loop that could
//! take records.

use std::thread;

use anyhow::{Result, bail};
use clap::Args;
use headroom_node::view::Item;
use headroom_wire::proto::DeadLetter;

use crate::client::{Client, JSON, PROTOBUF, Reply};
use crate::failure::{Status, Usage};
use crate::output::Output;
use crate::progress;

use super::letter::{Selection, id, is_replayable};
use super::read::from_server;

/// Where to, and which.
#[derive(Args)]
pub struct Command {
    /// The running service that has them, such as http://127.0.0.1:8080
    #[arg(long, value_name = "URL")]
    server: String,
    #[command(flatten)]
    selection: Selection,
    /// All of them
    #[arg(long, conflicts_with_all = ["code", "account", "id"])]
    all: bool,
}

/// What became of one of them.
struct Replayed {
    letter: DeadLetter,
    /// "accepted", "rejected", or "not replayable".
    verdict: &'static str,
    code: String,
    detail: String,
}

impl Command {
    /// Does it. Findings: some were refused again, or are not whole.
    pub fn run(&self, output: &Output) -> Result<Status> {
        if self.selection.is_empty() && !self.all {
            return Err(Usage("say which: `--code`, `--account`, `--id`, or `--all`".to_owned()).into());
        }
        let client = Client::new(&self.server)?;
        let letters = self.letters(&client)?;
        let bar = progress::count(output).with_message("records");
        let mut replayed = Vec::new();
        let mut failure = None;
        for letter in letters {
            match replay(&client, letter) {
                Ok(each) => replayed.push(each),
                Err(error) => {
                    failure = Some(error);
                    break;
                }
            }
            bar.inc(1);
        }
        bar.finish_and_clear();
        // What was done is told even if the rest could not be.
        output.print(&Item::fields([("replayed", Item::list(replayed.iter().map(row)))]))?;
        match failure {
            Some(error) => Err(error),
            None if replayed.iter().all(|each| each.verdict == "accepted") => Ok(Status::Done),
            None => Ok(Status::Findings),
        }
    }

    /// All of them first: a replay makes new ones.
    fn letters(&self, client: &Client) -> Result<Vec<DeadLetter>> {
        let mut letters = Vec::new();
        from_server(client, |letter| {
            if self.selection.takes(&letter) {
                letters.push(letter);
            }
            Ok(true)
        })?;
        Ok(letters)
    }
}

fn replay(client: &Client, letter: DeadLetter) -> Result<Replayed> {
    if !is_replayable(&letter) {
        let detail = format!("only the first {} bytes are kept", letter.original.len());
        return Ok(Replayed { letter, verdict: "not replayable", code: String::new(), detail });
    }
    let content_type = if letter.encoding == "json" { JSON } else { PROTOBUF };
    loop {
        match client.post_events("wait=durable&replayed=true", content_type, &letter.original)? {
            Reply::Answered(answer) => {
                let refused = answer.records.into_iter().find(|each| each.status == "rejected");
                return Ok(match refused {
                    Some(why) => Replayed { letter, verdict: "rejected", code: why.code, detail: why.detail },
                    None => Replayed { letter, verdict: "accepted", code: String::new(), detail: String::new() },
                });
            }
            Reply::Again { after, .. } => thread::sleep(after),
            Reply::Unknown(why) => bail!("nobody knows whether `{}` was taken: {why}", id(&letter)),
        }
    }
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
    ])
}
