//! From text to a scenario: everything that is wrong with it at once.

use std::collections::{BTreeMap, BTreeSet};

use headroom_engine::{Body, PromotionKind, Repayment, Timestamp, Zone};
use headroom_policy::{Currency, Diagnostic, suggest};

use super::args::Args;
use super::clock::Clock;
use super::event::{Draft, EVENTS, Place, drafts};
use super::line::{Line, Word, lines};
use super::lists::{is_gap, singular, take_spread};
use super::series::{When, read, spread, take_time};
use super::{Expected, Probe, ProbeName, Scenario, Step, StepKind};

/// Reads a scenario. `zone` is where the text has no header `zone`.
///
/// # Errors
/// Everything that is wrong with the text, in its order; `headroom_policy::render` shows it with lines and columns.
pub fn parse_scenario(text: &str, zone: &Zone) -> Result<Scenario, Vec<Diagnostic>> {
    let lines = lines(text);
    let mut reader = Reader::new(zone);
    reader.header(&lines);
    for line in &lines {
        reader.line(line);
    }
    reader.finish()
}

/// A line with its time.
struct Timed<'a> {
    line: &'a Line<'a>,
    when: When,
    words: Vec<Word<'a>>,
}

struct Reader<'a> {
    ruleset: Option<String>,
    clock: Clock,
    timed: Vec<Timed<'a>>,
    /// The time of the line above.
    before: Option<Timestamp>,
    /// The account that the last `account` line opens.
    account: Option<Word<'a>>,
    /// The line that expectations belong to.
    owner: Option<usize>,
    expected: Vec<Expected>,
    probes: Vec<Probe>,
    found: Vec<Diagnostic>,
}

impl<'a> Reader<'a> {
    fn new(zone: &Zone) -> Self {
        Self {
            ruleset: None,
            clock: Clock::new(zone.clone()),
            timed: Vec::new(),
            before: None,
            account: None,
            owner: None,
            expected: Vec::new(),
            probes: Vec::new(),
            found: Vec::new(),
        }
    }

    /// Lines that begin with `ruleset` or `zone`: pairs of word and value.
    fn header(&mut self, lines: &[Line<'_>]) {
        for line in lines.iter().filter(|each| is_header(each)) {
            for pair in line.words.chunks(2) {
                match pair {
                    [key, value] if key.text == "ruleset" => self.ruleset = Some(value.text.to_owned()),
                    [key, value] if key.text == "zone" => match Zone::named(value.text) {
                        Some(zone) => self.clock = Clock::new(zone),
                        None => self.wrong_header(value, "an IANA name like `Asia/Shanghai` is needed"),
                    },
                    [first, ..] => {
                        self.wrong_header(first, "a header is written `ruleset builtin  zone Asia/Shanghai`")
                    }
                    [] => {}
                }
            }
        }
    }

    fn wrong_header(&mut self, word: &Word<'_>, help: &str) {
        let message = format!("`{}` cannot stand in a header", word.text);
        self.found.push(Diagnostic::error("HR0407", message, word.span()).help(help));
    }

    fn line(&mut self, line: &'a Line<'a>) {
        match line.words[0].text {
            _ if is_header(line) => {}
            "=>" => self.expectation(line),
            "?" => self.probe(line),
            _ => self.happening(line),
        }
    }

    fn owner_of(&mut self, line: &Line<'_>) -> Option<usize> {
        if self.owner.is_none() {
            let message = "an expectation needs an event above it";
            self.found.push(Diagnostic::error("HR0406", message, line.span));
        }
        self.owner
    }

    fn expectation(&mut self, line: &Line<'_>) {
        let Some(owner) = self.owner_of(line) else { return };
        let words: Vec<&str> = line.words[1..].iter().map(|each| each.text).collect();
        self.expected.push(Expected { at_line: line.number, line: owner, text: words.join(" ") });
    }

    fn probe(&mut self, line: &Line<'_>) {
        let Some(owner) = self.owner_of(line) else { return };
        let [_, name, account, value] = line.words[..] else {
            let help = "it is written `? spendable M1 800_000.00`";
            self.found.push(Diagnostic::error("HR0403", "a look needs name, account, value", line.span).help(help));
            return;
        };
        let known = ProbeName::ALL.iter().find(|(word, _)| *word == name.text).map(|(_, known)| *known);
        let Some(known) = known.or_else(|| name.text.contains('.').then_some(ProbeName::Feature)) else {
            let names: Vec<&str> = ProbeName::ALL.iter().map(|(word, _)| *word).collect();
            let near = suggest(name.text, names.iter().copied()).map(|near| format!("did you mean `{near}`?"));
            let help = near.unwrap_or_else(|| {
                format!("one of {}, or a feature like `repay.on_time_streak` is needed", names.join(", "))
            });
            let message = format!("there is no `{}` to look at", name.text);
            self.found.push(Diagnostic::error("HR0404", message, name.span()).help(help));
            return;
        };
        let value = value.text.replace('_', "");
        self.probes.push(Probe {
            at_line: line.number,
            line: owner,
            name: known,
            feature: if known == ProbeName::Feature { name.text.to_owned() } else { String::new() },
            account: account.text.into(),
            value,
        });
    }

    fn happening(&mut self, line: &'a Line<'a>) {
        self.owner = Some(line.number);
        let mut words = &line.words[..];
        let until = words[0].text == "until" && words.len() == 2;
        if until {
            words = &words[1..];
        }
        let when = take_time(&self.clock, &mut words, self.before);
        match when.and_then(|when| self.spread(when, words, line)) {
            Ok((when, words)) => {
                self.before = match &when {
                    When::Beginning | When::AfterBeginning(_) => self.before,
                    When::At(at) => Some(*at),
                    When::Series(all) => all.last().copied(),
                };
                let words = if until { vec![line.words[0]] } else { words };
                self.timed.push(Timed { line, when, words });
            }
            Err(finding) => self.found.push(finding),
        }
    }

    /// The line's words in full, and when its events happen.
    fn spread(&mut self, when: When, words: &[Word<'a>], line: &Line<'_>) -> Result<(When, Vec<Word<'a>>), Diagnostic> {
        let mut words = words.to_vec();
        let lists = take_spread(&mut words)?;
        if let Some(name) = words.first().copied() {
            words[0] = singular(name);
            if name.text.ends_with(':') {
                let help = "write `account M1 …` above, or the account behind the event's name without `:`";
                let missing = || Diagnostic::error("HR0403", "no line above opens an account", name.span()).help(help);
                words.insert(1, self.account.ok_or_else(missing)?);
            }
            if name.text == "account" {
                self.account = words.get(1).copied();
            }
        }
        Ok((spread(when, lists, line.span)?, words))
    }

    fn finish(mut self) -> Result<Scenario, Vec<Diagnostic>> {
        let steps = self.steps();
        if !self.found.is_empty() {
            self.found.sort_by_key(|each| each.span);
            return Err(self.found);
        }
        let Self { ruleset, clock, expected, probes, .. } = self;
        Ok(Scenario { ruleset, clock, steps, expected, probes })
    }

    fn steps(&mut self) -> Vec<Step> {
        let timed = std::mem::take(&mut self.timed);
        let all = timed.iter().flat_map(|each| match &each.when {
            When::Beginning | When::AfterBeginning(_) => &[][..],
            When::At(at) => std::slice::from_ref(at),
            When::Series(all) => all,
        });
        let (first, end) = (all.clone().min().copied(), all.max().copied());
        let beginning = first.into_iter().chain(self.first_promotion(&timed)).min().unwrap_or_default();
        let last = |each: &Timed<'_>| match &each.when {
            When::AfterBeginning(offsets) => offsets.last().map(|offset| beginning.plus(*offset)),
            _ => None,
        };
        let end = end.into_iter().chain(timed.iter().filter_map(last)).max();
        let mut building = Building { currencies: currencies(&timed), ..Building::default() };
        for each in &timed {
            let times = match &each.when {
                When::Beginning => vec![(beginning, None)],
                When::At(at) => vec![(*at, None)],
                When::Series(all) => all.iter().enumerate().map(|(nth, at)| (*at, Some(nth))).collect(),
                When::AfterBeginning(offsets) => {
                    offsets.iter().enumerate().map(|(nth, offset)| (beginning.plus(*offset), Some(nth))).collect()
                }
            };
            for (at, nth) in times {
                if nth.is_some_and(|nth| is_gap(&each.words, nth)) {
                    continue;
                }
                let findings = building.take(&self.clock, each, at, nth);
                if !findings.is_empty() {
                    self.found.extend(findings);
                    break;
                }
            }
        }
        building.ordered(beginning, end)
    }

    /// A promotion that runs before everything else is known before it begins.
    fn first_promotion(&self, timed: &[Timed<'_>]) -> Option<Timestamp> {
        let promotions = timed.iter().filter(|each| each.when == When::Beginning);
        let words = promotions.filter(|each| each.words.first().is_some_and(|word| word.text == "promotion"));
        let starts = words.flat_map(|each| each.words.windows(2)).filter(|pair| pair[1].text == "..");
        starts.filter_map(|pair| read(&self.clock, pair[0]).ok()).min()
    }
}

fn is_header(line: &Line<'_>) -> bool {
    matches!(line.words[0].text, "ruleset" | "zone")
}

/// The currency of each account as its `account` line says.
fn currencies(timed: &[Timed<'_>]) -> BTreeMap<String, Currency> {
    let opened = timed.iter().filter(|each| each.words.first().is_some_and(|word| word.text == "account"));
    let pairs = opened.filter_map(|each| {
        let account = each.words.get(1)?;
        let currency = each.words.iter().find_map(|word| word.text.strip_prefix("currency="))?;
        Some((account.text.to_owned(), currency.parse().ok()?))
    });
    pairs.collect()
}

/// Where records come in the order of one instant.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Beginning,
    Implied,
    Said,
}

#[derive(Default)]
struct Building {
    currencies: BTreeMap<String, Currency>,
    payments: BTreeMap<String, String>,
    steps: Vec<(Timestamp, Rank, Step)>,
}

const CNY: Currency = Currency(*b"CNY");

impl Building {
    /// Takes one occurrence of a line; the findings about it.
    fn take(&mut self, clock: &Clock, timed: &Timed<'_>, at: Timestamp, nth: Option<usize>) -> Vec<Diagnostic> {
        let line = timed.line;
        let Some((name, rest)) = timed.words.split_first() else {
            return vec![Diagnostic::error("HR0401", "the line says when, but not what", line.span)];
        };
        if name.text == "until" {
            self.push(timed, at, false, Rank::Said, StepKind::Until);
            return Vec::new();
        }
        if !EVENTS.contains(&name.text) {
            let finding = Diagnostic::error("HR0401", format!("there is no event `{}`", name.text), name.span());
            let near = suggest(name.text, EVENTS.iter().copied());
            return vec![near.map_or(finding.clone(), |near| finding.help(format!("did you mean `{near}`?")))];
        }
        let account = rest.first().map_or("", |each| each.text);
        let currency = match rest.iter().find_map(|word| word.text.strip_prefix("currency=")) {
            Some(text) if name.text == "account" && text.parse::<Currency>().is_err() => {
                return vec![Diagnostic::error("HR0404", format!("`{text}` is no currency"), line.span)];
            }
            _ => self.currencies.get(account).copied().unwrap_or(CNY),
        };
        let place = Place { line: line.number, nth, payment: self.payments.get(account).map(String::as_str) };
        let mut args = Args::new(clock, at, currency, rest, line.span, nth);
        let said = drafts(*name, &mut args, place);
        let findings = args.finish();
        for draft in said.into_iter().flatten().filter(|_| findings.is_empty()) {
            self.draft(timed, draft, nth.is_some());
        }
        findings
    }

    fn draft(&mut self, timed: &Timed<'_>, draft: Draft, series: bool) {
        if let Body::Repayment { kind: Repayment::PaymentPosted { payment_id, .. }, .. } = &draft.event.body {
            self.payments.insert(draft.event.account.to_string(), payment_id.clone());
        }
        let rank = match (&timed.when, draft.implied) {
            (_, true) => Rank::Implied,
            (When::Beginning, false) => Rank::Beginning,
            (When::At(_) | When::Series(_) | When::AfterBeginning(_), false) => Rank::Said,
        };
        self.push(timed, draft.at, series, rank, StepKind::Record(Box::new(draft.event), draft.resolve));
    }

    fn push(&mut self, timed: &Timed<'_>, at: Timestamp, series: bool, rank: Rank, kind: StepKind) {
        let (line, text) = (timed.line.number, timed.line.text.to_owned());
        self.steps.push((at, rank, Step { line, at, series, text, kind }));
    }

    /// In the order of time. What follows from a promotion's line comes only up to the last line's time; its outputs,
    /// timers that are due by then, stand under the next line that says something.
    fn ordered(mut self, beginning: Timestamp, end: Option<Timestamp>) -> Vec<Step> {
        self.mend_promotions();
        let end = end.unwrap_or(beginning);
        self.steps.retain(|(at, rank, _)| *rank != Rank::Implied || *at <= end);
        self.steps.sort_by_key(|(at, rank, _)| (*at, *rank));
        let mut next: Option<usize> = None;
        for (_, rank, step) in self.steps.iter_mut().rev() {
            match (*rank, next) {
                (Rank::Implied, Some(line)) => step.line = line,
                (Rank::Implied, None) => {}
                _ => next = Some(step.line),
            }
        }
        self.steps.into_iter().map(|(_, _, step)| step).collect()
    }

    /// Start and end that a line states replace those that follow from the promotion's own line; an extension moves
    /// the end.
    fn mend_promotions(&mut self) {
        let mut stated = BTreeSet::new();
        let mut ends: BTreeMap<String, Timestamp> = BTreeMap::new();
        for (_, rank, step) in &self.steps {
            if let (false, Some(event)) = (*rank == Rank::Implied, promotion_of(step)) {
                match event.kind {
                    PromotionKind::Started => drop(stated.insert((event.promotion_id.clone(), "start"))),
                    PromotionKind::Ended => drop(stated.insert((event.promotion_id.clone(), "end"))),
                    PromotionKind::Extended => {
                        ends.extend(event.end.map(|end| (event.promotion_id.clone(), end)));
                    }
                    PromotionKind::Announced => {}
                }
            }
        }
        for (at, rank, step) in &mut self.steps {
            let Some(event) = promotion_of(step).filter(|_| *rank == Rank::Implied) else { continue };
            if let (PromotionKind::Ended, Some(end)) = (event.kind, ends.get(&event.promotion_id)) {
                *at = *end;
                step.at = *end;
                if let StepKind::Record(event, _) = &mut step.kind {
                    event.occurred_at = *end;
                }
            }
        }
        self.steps.retain(|(_, rank, step)| {
            let Some(event) = promotion_of(step).filter(|_| *rank == Rank::Implied) else { return true };
            let which = if event.kind == PromotionKind::Started { "start" } else { "end" };
            !stated.contains(&(event.promotion_id.clone(), which))
        });
    }
}

fn promotion_of(step: &Step) -> Option<&headroom_engine::PromotionEvent> {
    match &step.kind {
        StepKind::Record(event, _) => match &event.body {
            Body::Promotion(event) => Some(event),
            _ => None,
        },
        StepKind::Until => None,
    }
}
