//! `headroom rules mutate`: changes of rules that none of their tests notices.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::{Result, bail};
use clap::Args;
use headroom_engine::{Rule, Ruleset};
use headroom_node::view::Item;
use headroom_policy::suggest;
use headroom_sim::{Fate, MutationCheck};
use headroom_sources::{read_rule_tests_dir, read_ruleset_dir};
use indicatif::ProgressBar;

use crate::failure::Status;
use crate::output::{Output, color};
use crate::{progress, rules_dir};

/// Which rules.
#[derive(Args)]
pub struct Command {
    /// The ruleset's directory
    dir: PathBuf,
    /// Only these rules, by id
    rules: Vec<String>,
}

/// What the check of one rule found.
struct Found {
    check: MutationCheck,
    fates: Vec<Fate>,
}

impl Command {
    /// Changes each rule in every way there is and runs its tests. Survivors without a note make it fail, and so do
    /// notes that accept nothing and rules whose tests fail as they are.
    pub fn run(&self, output: &Output) -> Result<Status> {
        let ruleset = Arc::new(rules_dir::load(&self.dir)?);
        let mut files = read_ruleset_dir(&self.dir)?;
        files.extend(read_rule_tests_dir(&self.dir)?);
        let mut found = Vec::new();
        let mut broken = false;
        for rule in self.wanted(&ruleset)? {
            match MutationCheck::new(&ruleset, rule, &files) {
                Ok(check) => found.push(Found { fates: vec![Fate::Survived; check.mutants.len()], check }),
                Err(error) => {
                    eprint!("{}", error.render(color()));
                    broken = true;
                }
            }
        }
        let bar = progress::steps(found.iter().map(|each| each.fates.len() as u64).sum(), output);
        let workers = thread::available_parallelism().map_or(1, usize::from);
        found.iter_mut().for_each(|each| each.try_all(workers, &bar));
        bar.finish_and_clear();
        found.iter().for_each(Found::say_failing);
        output.print(&summary(&found))?;
        let fine = !broken && found.iter().all(Found::is_fine);
        Ok(if fine { Status::Done } else { Status::Findings })
    }

    fn wanted<'a>(&self, ruleset: &'a Ruleset) -> Result<Vec<&'a Rule>> {
        let ids = || ruleset.rules.iter().map(|rule| &*rule.id);
        if let Some(missing) = self.rules.iter().find(|wanted| !ids().any(|id| id == wanted.as_str())) {
            let near = suggest(missing, ids()).map_or_else(String::new, |id| format!(", did you mean `{id}`?"));
            bail!("there is no rule `{missing}`{near}");
        }
        let is_wanted = |rule: &&Rule| self.rules.is_empty() || self.rules.iter().any(|id| **id == *rule.id);
        Ok(ruleset.rules.iter().filter(is_wanted).collect())
    }
}

impl Found {
    fn try_all(&mut self, workers: usize, bar: &ProgressBar) {
        bar.set_message(self.check.rule.to_string());
        if self.is_untried() {
            return bar.inc(self.fates.len() as u64);
        }
        let (check, next) = (&self.check, AtomicUsize::new(0));
        let done = thread::scope(|scope| {
            let workers: Vec<_> = (0..workers).map(|_| scope.spawn(|| try_some(check, &next, bar))).collect();
            workers.into_iter().flat_map(|worker| worker.join().expect("a worker ends")).collect::<Vec<_>>()
        });
        for (at, fate) in done {
            self.fates[at] = fate;
        }
    }

    /// Nothing is known of a rule whose tests fail as it is.
    fn is_untried(&self) -> bool {
        !self.check.failing.is_empty()
    }

    fn survivors(&self) -> impl Iterator<Item = usize> {
        (0..self.fates.len()).filter(|at| self.fates[*at] == Fate::Survived && !self.is_untried())
    }

    fn is_fine(&self) -> bool {
        !self.is_untried()
            && self.survivors().all(|at| self.check.note(at).is_some())
            && self.check.stale_notes(&self.fates).is_empty()
    }

    fn count(&self, wanted: impl Fn(&Fate) -> bool) -> usize {
        self.fates.iter().filter(|fate| wanted(fate)).count()
    }

    fn say_failing(&self) {
        for test in &self.check.failing {
            eprintln!("`{}` fails on the rule as it is: `{test}`; see `headroom rules test`", self.check.tests_path);
        }
    }
}

/// Takes mutants until there are none left.
fn try_some(check: &MutationCheck, next: &AtomicUsize, bar: &ProgressBar) -> Vec<(usize, Fate)> {
    let (mut done, mut killer) = (Vec::new(), 0);
    loop {
        let at = next.fetch_add(1, Ordering::Relaxed);
        if at >= check.mutants.len() {
            return done;
        }
        let fate = check.try_mutant(at, killer);
        if let Fate::Killed(test) = fate {
            killer = test;
        }
        done.push((at, fate));
        bar.inc(1);
    }
}

fn summary(found: &[Found]) -> Item {
    let sum = |count: fn(&Found) -> usize| -> usize { found.iter().map(count).sum() };
    let open = |each: &Found| each.survivors().filter(|at| each.check.note(*at).is_none()).count();
    Item::fields([
        ("rules", found.len().into()),
        ("mutants", sum(|each| each.fates.len()).into()),
        ("killed", sum(|each| each.count(|fate| matches!(fate, Fate::Killed(_)))).into()),
        ("refused_by_the_loader", sum(|each| each.count(|fate| *fate == Fate::Refused)).into()),
        ("the_same_rule", sum(|each| each.count(|fate| *fate == Fate::Same)).into()),
        ("accepted", sum(|each| each.survivors().filter(|at| each.check.note(*at).is_some()).count()).into()),
        ("untried", sum(|each| if each.is_untried() { each.fates.len() } else { 0 }).into()),
        ("survived", found.iter().map(open).sum::<usize>().into()),
        ("failing_tests", sum(|each| each.check.failing.len()).into()),
        ("survivors", Item::List(found.iter().flat_map(survivors).collect())),
        ("accepted_mutants", Item::List(found.iter().flat_map(accepted).collect())),
        ("stale_notes", Item::List(found.iter().flat_map(stale).collect())),
    ])
}

fn survivors(found: &Found) -> Vec<Item> {
    let open = found.survivors().filter(|at| found.check.note(*at).is_none());
    open.map(|at| place(found, at, None)).collect()
}

fn accepted(found: &Found) -> Vec<Item> {
    found.survivors().filter_map(|at| Some(place(found, at, Some(&found.check.note(at)?.because)))).collect()
}

fn place(found: &Found, at: usize, because: Option<&str>) -> Item {
    let mutant = &found.check.mutants[at];
    let at = format!("{}:{}", mutant.path, mutant.line);
    match because {
        None => Item::fields([("at", at.into()), ("mutation", mutant.text.as_str().into())]),
        Some(because) => {
            Item::fields([("at", at.into()), ("mutation", mutant.text.as_str().into()), ("because", because.into())])
        }
    }
}

/// Notes whose mutant is gone or is noticed by now.
fn stale(found: &Found) -> Vec<Item> {
    let path = &found.check.tests_path;
    let stale = if found.is_untried() { Vec::new() } else { found.check.stale_notes(&found.fates) };
    stale
        .into_iter()
        .map(|note| {
            let at = format!("{path}:{}", note.line);
            Item::fields([("at", at.into()), ("mutation", note.mutation.as_str().into())])
        })
        .collect()
}
