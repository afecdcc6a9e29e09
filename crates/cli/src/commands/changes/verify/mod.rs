//! `headroom changes verify`: every decision of an output file again, from its own trace and by the production
//! evaluator; its amounts from its own stack; its place in its account's sequence.

mod amounts;
mod order;
mod trace;

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use headroom_engine::Ruleset;
use headroom_node::view::Item;
use headroom_wire::proto::output::Body;
use headroom_wire::proto::{LimitChange, Offer, Review};

use crate::failure::Status;
use crate::output::Output;
use crate::{progress, rules_dir};

use super::read;

/// So many findings are told with their lines; all are counted.
const TOLD_MAX: usize = 100;

/// What to verify, against what.
#[derive(Args)]
pub struct Command {
    /// What `headroom run` wrote with --out
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The ruleset that decided; without it the built-in one
    #[arg(long, value_name = "DIR")]
    rules: Option<PathBuf>,
}

impl Command {
    /// Does it. Findings: anything that does not come out as it is written.
    pub fn run(&self, output: &Output) -> Result<Status> {
        let ruleset = rules_dir::load_or_builtin(self.rules.as_deref())?;
        let mut verifier = Verifier::new(&ruleset);
        let bar = progress::bytes(0, output);
        let read = read(&self.file, |place, body| {
            if place.line % 1_000 == 1 {
                bar.set_length(place.bytes_total);
                bar.set_position(place.bytes_read);
                bar.set_message(format!("{} outputs", place.line));
            }
            verifier.take(place.line, &body);
        });
        bar.finish_and_clear();
        read?;
        output.print(&verifier.item())?;
        Ok(if verifier.findings.is_empty() { Status::Done } else { Status::Findings })
    }
}

/// One thing that is not as it should be.
struct Finding {
    /// A word for what it is about.
    kind: &'static str,
    detail: String,
}

fn finding(kind: &'static str, detail: impl Into<String>) -> Finding {
    Finding { kind, detail: detail.into() }
}

struct Verifier<'a> {
    ruleset: &'a Ruleset,
    order: order::Order,
    verified: BTreeMap<&'static str, u64>,
    without_rule: u64,
    findings: BTreeMap<&'static str, u64>,
    told: Vec<Item>,
}

impl<'a> Verifier<'a> {
    fn new(ruleset: &'a Ruleset) -> Self {
        Self {
            ruleset,
            order: order::Order::default(),
            verified: BTreeMap::new(),
            without_rule: 0,
            findings: BTreeMap::new(),
            told: Vec::new(),
        }
    }

    fn take(&mut self, line: u64, body: &Body) {
        let mut found = self.order.take(line, body);
        let (what, account) = match body {
            Body::LimitChange(change) => ("limit_change", &change.account_id),
            Body::Offer(offer) => ("offer", &offer.account_id),
            Body::Review(review) => ("review", &review.account_id),
            Body::Notice(notice) => ("notice", &notice.account_id),
            Body::DeadLetter(letter) => ("dead_letter", &letter.account_id),
        };
        let evaluated = match body {
            Body::LimitChange(change) => self.limit_change(change, &mut found),
            Body::Offer(offer) => self.offer(offer, &mut found),
            Body::Review(review) => self.review(review, &mut found),
            Body::Notice(_) | Body::DeadLetter(_) => None,
        };
        if evaluated == Some(false) {
            self.without_rule += 1;
        } else if evaluated == Some(true) && found.is_empty() {
            *self.verified.entry(what).or_default() += 1;
        }
        for each in found {
            self.tell(line, account, each);
        }
    }

    fn tell(&mut self, line: u64, account: &str, found: Finding) {
        *self.findings.entry(found.kind).or_default() += 1;
        if self.told.len() < TOLD_MAX {
            self.told.push(Item::fields([
                ("line", line.into()),
                ("account", account.into()),
                ("kind", found.kind.into()),
                ("detail", found.detail.into()),
            ]));
        }
    }

    /// Whether a rule made it.
    fn limit_change(&self, change: &LimitChange, found: &mut Vec<Finding>) -> Option<bool> {
        found.extend(amounts::check(change, self.ruleset));
        if change.rule_id.is_empty() {
            return Some(false);
        }
        let asked = trace::Asked {
            rule: &change.rule_id,
            rule_hash: Some(&change.rule_hash),
            ruleset_hash: Some(&change.ruleset_hash),
            currency: &change.currency,
            trace: change.trace.as_ref(),
            outcome: trace::Outcome::True,
        };
        found.extend(trace::check(&asked, self.ruleset));
        Some(true)
    }

    fn offer(&self, offer: &Offer, found: &mut Vec<Finding>) -> Option<bool> {
        let asked = trace::Asked {
            rule: &offer.rule_id,
            rule_hash: None,
            ruleset_hash: Some(&offer.ruleset_hash),
            currency: &offer.currency,
            trace: offer.trace.as_ref(),
            outcome: trace::Outcome::True,
        };
        found.extend(trace::check(&asked, self.ruleset));
        Some(true)
    }

    /// Reviews without a trace were asked for by no rule, or by one that needs no reason.
    fn review(&self, review: &Review, found: &mut Vec<Finding>) -> Option<bool> {
        if review.trace.is_none() {
            return Some(false);
        }
        let outcome = match review.kind.as_str() {
            "compensation_missed" => trace::Outcome::NotTrue,
            kind if kind.starts_with("unknown_") => trace::Outcome::Unknown,
            _ => trace::Outcome::True,
        };
        let asked = trace::Asked {
            rule: &review.rule_id,
            rule_hash: None,
            ruleset_hash: None,
            currency: &review.currency,
            trace: review.trace.as_ref(),
            outcome,
        };
        found.extend(trace::check(&asked, self.ruleset));
        Some(true)
    }

    fn item(&self) -> Item {
        let counts = |counts: &BTreeMap<&'static str, u64>| Item::counts(counts.clone());
        Item::fields([
            ("outputs", self.order.outputs().into()),
            ("accounts", self.order.accounts().into()),
            ("without_rule", self.without_rule.into()),
            ("verified", counts(&self.verified)),
            ("findings", counts(&self.findings)),
            ("first_findings", Item::list(self.told.iter().cloned())),
        ])
    }
}
