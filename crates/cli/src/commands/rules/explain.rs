//! `headroom rules explain`: what a rule does, what it reads, and what each of these means; and, over the facts of an
//! account, what each part of its condition gives.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use headroom_engine::{
    Feature, FeatureType, OnUnknown, Once, Points, Reader, RowOutcome, Rule, Ruleset, Score, TableRow, fact_key,
};
use headroom_node::view::Item;
use headroom_policy::{Constant, Program, Type, in_words, suggest};
use headroom_sim::{AccountFacts, hold_against, read_account_facts};

use crate::failure::Status;
use crate::output::Output;
use crate::rules_dir;

use super::tree;

/// Which rule.
#[derive(Args)]
pub struct Command {
    /// The rule's id or number
    rule: String,
    /// The ruleset's directory; without it the built-in ruleset
    #[arg(long, value_name = "DIR")]
    rules: Option<PathBuf>,
    /// Hold it against an account: a YAML or JSON file of facts, or an account as `account show --format json` prints it
    #[arg(long, value_name = "FILE")]
    account: Option<PathBuf>,
    /// A fact beside those of the file, like `order.amount=5_000.00`
    #[arg(long = "fact", value_name = "NAME=VALUE")]
    facts: Vec<String>,
}

impl Command {
    /// Does it.
    pub fn run(&self, output: &Output) -> Result<Status> {
        let ruleset = rules_dir::load_or_builtin(self.rules.as_deref())?;
        let wanted = |rule: &&Rule| *rule.id == self.rule || rule.number.to_string() == self.rule;
        let Some(rule) = ruleset.rules.iter().find(wanted) else { bail!(self.unknown(&ruleset)) };
        if self.account.is_none() && self.facts.is_empty() {
            output.print(&explained(rule, &ruleset))?;
            return Ok(Status::Done);
        }
        let Some(facts) = self.facts(&ruleset)? else { return Ok(Status::Findings) };
        let held = hold_against(rule, &ruleset, &facts);
        output.print_as(&tree::item(rule, &ruleset, &held), &tree::text(rule, &ruleset, &held))?;
        Ok(Status::Done)
    }

    /// The facts of the file and of the command line; `None` where they are wrong, as stderr says.
    fn facts(&self, ruleset: &Ruleset) -> Result<Option<AccountFacts>> {
        let mut facts = match &self.account {
            Some(path) => match of_file(path, ruleset)? {
                Some(facts) => facts,
                None => return Ok(None),
            },
            None => AccountFacts::default(),
        };
        for fact in &self.facts {
            if let Err(findings) = facts.set(ruleset, fact) {
                rules_dir::show_text("--fact", fact, &findings);
                return Ok(None);
            }
        }
        Ok(Some(facts))
    }

    fn unknown(&self, ruleset: &Ruleset) -> String {
        let name = &self.rule;
        let dir = self.rules.as_ref().map_or_else(|| "builtin".to_owned(), |dir| dir.display().to_string());
        match suggest(name, ruleset.rules.iter().map(|rule| &*rule.id)) {
            Some(near) => format!("there is no rule `{name}` in `{dir}`; did you mean `{near}`?"),
            None => format!("there is no rule `{name}` in `{dir}`"),
        }
    }
}

fn of_file(path: &Path, ruleset: &Ruleset) -> Result<Option<AccountFacts>> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    match read_account_facts(ruleset, &text) {
        Ok(facts) => Ok(Some(facts)),
        Err(findings) => {
            rules_dir::show_text(&path.display().to_string(), &text, &findings);
            Ok(None)
        }
    }
}

fn explained(rule: &Rule, ruleset: &Ruleset) -> Item {
    let ways = rule.ways();
    let amounts = ways.iter().flat_map(|(_, actions, _)| *actions).flat_map(|action| action.programs()).map(one_line);
    Item::fields([
        ("id", rule.id.as_ref().into()),
        ("number", rule.number.into()),
        ("title_en", rule.title_en.as_str().into()),
        ("title_zh", rule.title_zh.as_str().into()),
        ("why", rule.why.as_str().into()),
        ("family", rule.family.word().into()),
        ("class", rule.classes().iter().map(|class| class.word()).collect::<Vec<_>>().join(" or ").as_str().into()),
        ("causes", Item::list(rule.causes.iter().map(|cause| cause.word()))),
        ("triggers", Item::list(rule.on_words.clone())),
        ("only_for_segments", Item::list(rule.segments.iter().map(|segment| segment.word()))),
        ("once", once(rule.once).into()),
        ("on_unknown", on_unknown(rule.on_unknown).into()),
        ("reason", rule.reason.as_str().into()),
        ("notice", rule.notice.as_ref().map(|notice| notice.template.as_str()).into()),
        ("can_do", Item::list(rule.notice.iter().flat_map(|notice| notice.can_do.clone()))),
        ("owner", rule.owner.as_str().into()),
        ("file", rule.path.as_str().into()),
        ("actions", rule.then_text.trim().into()),
        ("amounts", Item::list(amounts)),
        ("when_all_hold", Item::list(rule.when.conjuncts().iter().map(one_line))),
        ("in_words", Item::list(rule.when.conjuncts().iter().map(in_words))),
        ("rows", Item::list(rows(rule))),
        ("params", Item::list(rule.params.iter().map(|(name, value)| param(name, value)))),
        ("reads", Item::list(rule.reads.iter().map(|slot| read(ruleset, *slot)))),
    ])
}

/// The rows of a table: what they ask of each column, and what they do.
fn rows(rule: &Rule) -> Vec<Item> {
    let Some(table) = &rule.table else { return Vec::new() };
    let row = |row: &TableRow<RowOutcome>| {
        let cells =
            table.rows.columns.iter().zip(&row.cells).map(|(column, cell)| (column.text.clone(), cell.as_str().into()));
        let does = [("then".to_owned(), row.gives.then_text.as_str().into())];
        let reason = row.gives.reason.as_deref().map(|reason| ("reason".to_owned(), reason.into()));
        Item::Fields(cells.chain(does).chain(reason).collect())
    };
    table.rows.rows.iter().map(row).collect()
}

fn one_line(program: &Program) -> String {
    program.text().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn once(once: Once) -> &'static str {
    match once {
        Once::No => "no: each time",
        Once::Account => "once in the account's life",
        Once::Entry => "once each time the condition becomes true",
    }
}

fn on_unknown(on_unknown: OnUnknown) -> &'static str {
    match on_unknown {
        OnUnknown::Skip => "skip: nothing happens, it is counted",
        OnUnknown::Hold => "hold: increases and boosts of this decision are held",
        OnUnknown::Review => "review: a person looks",
    }
}

fn param(name: &str, value: &Constant) -> Item {
    let shown: Item = match value {
        Constant::Int(value) => (*value).into(),
        Constant::Bool(value) => (*value).into(),
        Constant::Money(amounts) => {
            Item::Fields(amounts.iter().map(|(currency, amount)| (currency.to_string(), (*amount).into())).collect())
        }
    };
    Item::fields([("name", format!("p.{name}").into()), ("type", value.ty().to_string().into()), ("value", shown)])
}

/// What a slot means: of the catalogue, or as the ruleset's `facts.yaml` says.
fn read(ruleset: &Ruleset, slot: usize) -> Item {
    let symbol = ruleset.schema.symbol(slot);
    let (meaning, unit) = match ruleset.readers[slot] {
        Reader::Feature(feature) => (feature.meaning.to_owned(), unit_of(feature)),
        Reader::Score(at) => (score_meaning(&ruleset.scores[at]), "points"),
        Reader::Fact(key, _) => (fact_meaning(ruleset, key, &symbol.name), unit_of_type(&symbol.ty)),
    };
    Item::fields([
        ("name", symbol.name.as_str().into()),
        ("type", symbol.ty.to_string().into()),
        ("unit", unit.into()),
        ("range", range(&symbol.ty, symbol.min, symbol.max).into()),
        ("meaning", meaning.into()),
    ])
}

fn score_meaning(score: &Score) -> String {
    match &score.points {
        Points::Sum(parts) => format!("sum of the {} parts of the table {}", parts.len(), score.table),
        Points::Part(rows) => {
            let columns: Vec<&str> = rows.columns.iter().map(|each| each.text.as_str()).collect();
            format!("points that the table {} gives for {}", score.table, columns.join(", "))
        }
    }
}

fn fact_meaning(ruleset: &Ruleset, key: u32, name: &str) -> String {
    let fact = ruleset.facts.get(&key).or_else(|| ruleset.facts.get(&fact_key(name)));
    fact.map_or_else(String::new, |fact| fact.meaning.clone())
}

fn unit_of(feature: &Feature) -> &'static str {
    match feature.ty {
        FeatureType::Percent if feature.unit.is_empty() => "%",
        _ => feature.unit,
    }
}

fn unit_of_type(ty: &Type) -> &'static str {
    if *ty == Type::Money { "minor units" } else { "" }
}

fn range(ty: &Type, min: i64, max: i64) -> String {
    match ty {
        Type::Bool => "true or false".to_owned(),
        Type::Enum(words) => words.join(", "),
        Type::Money if max >= i64::MAX / 2 => if min < 0 { "any amount" } else { "0 or more" }.to_owned(),
        _ => format!("{min} to {max}"),
    }
}
