//! One rule file: its fields read, its expressions compiled, its rules of composition checked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use headroom_policy::yaml::Node;
use headroom_policy::{Diagnostic, Expect, Program, Schema, Scope, compile};

use crate::features::{FactDef, Feature};
use crate::ids::fact_key;
use crate::trigger::{On, TriggerKind};
use crate::vocabulary::{Cause, Class, Family, Segment};

use super::action_file::{Around, Placed, actions, can_do, program};
use super::fields::{Fields, Findings, each, near, owned, snake, text, whole, word};
use super::load::sha256_hex;
use super::params::params;
use super::rule::{NoticeSpec, OnUnknown, Once, Rule};
use super::rule_check::{self, Draft, Subject, Trigger, depends_on_cause};

/// The largest rule number; what is beyond is kept for numbers that the engine gives itself.
const NUMBER_MAX: i64 = 999_999;

/// The keys of a rule file, in the order in which they are written.
pub const RULE_KEYS: &[&str] = &[
    "id",
    "number",
    "title",
    "why",
    "family",
    "class",
    "cause",
    "on",
    "segments",
    "when",
    "params",
    "then",
    "reason",
    "notice",
    "on_unknown",
    "once",
    "owner",
    "since",
];

/// What rules may refer to.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// Features and facts.
    pub schema: &'a Schema,
    /// Features by slot.
    pub features: &'a [&'static Feature],
    /// Facts by key.
    pub facts: &'a BTreeMap<u32, FactDef>,
    /// The first slot that a table computes; all behind it are such.
    pub scores_from: usize,
}

impl Known<'_> {
    /// Whether a slot is computed by a table.
    pub fn is_score(&self, slot: usize) -> bool {
        slot >= self.scores_from
    }
}

/// A rule file on its way.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// Its path in the ruleset.
    pub path: &'a str,
    /// Its text.
    pub text: &'a str,
    /// Its document.
    pub root: &'a Node,
    /// The values that the settings give its parameters.
    pub overrides: Option<&'a Node>,
}

/// The id that a file's name asks for: the name without folder and `.rule.yaml`, `.table.yaml` or `.table.csv`.
pub fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    let endings = [".rule.yaml", ".table.yaml", ".table.csv"];
    endings.iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name)
}

/// What a rule says about itself.
pub struct Head {
    pub number: u32,
    pub titles: (String, String),
    pub why: String,
    pub family: Family,
    pub segments: Vec<Segment>,
    pub reason: String,
    pub notice: Option<NoticeSpec>,
    pub once: Once,
    pub owner: String,
}

/// Reads a rule; `None` if it cannot be used, for the reasons noted. `settings` gets what is wrong with the overrides.
pub fn rule(source: &Source<'_>, known: &Known<'_>, out: &mut Findings, settings: &mut Findings) -> Option<Rule> {
    let fields = Fields::of(source.root, "a rule", RULE_KEYS, out)?;
    let head = head(&fields, source, out);
    let class = fields.read("class", out, |node| word(node, "class", Class::ALL, Class::word));
    let subject = subject(&fields, out);
    let triggers = triggers(&fields, known, out);
    let params = params(fields.get("params"), source.overrides, out, settings);
    let around = Around {
        names: Scope { schema: known.schema, params: &params },
        features: known.features,
        subject: &subject,
        triggers: &triggers,
        favourable: matches!(class, Some(Class::Increase | Class::Boost | Class::Restore)),
    };
    let when = fields.need("when", out).and_then(|node| Some((program(node, &around, Expect::Bool, out)?, node)));
    let then = fields.need("then", out).and_then(|node| actions(node, &around, out));
    let on_unknown = fields.read_or("on_unknown", OnUnknown::Skip, out, on_unknown);
    let draft = Draft { fields, class, subject, triggers, when, then };
    rule_check::check(&draft, out);
    let Draft { subject, triggers, when, then, .. } = draft;
    let (class, (when, _), then, head) = (class?, when?, then?, head?);
    let reads = reads(&when, &then);
    let unless =
        if class == Class::Freeze { negated(&when, &Scope { schema: known.schema, params: &params }) } else { None };
    let then_text = source.part(fields.get("then")?);
    Some(Rule {
        id: Arc::from(stem(source.path)),
        number: head.number,
        title_en: head.titles.0,
        title_zh: head.titles.1,
        why: head.why,
        family: head.family,
        class,
        causes: subject.causes,
        cause_of_review: subject.of_review,
        on: triggers.iter().map(|each| each.on).collect(),
        on_words: triggers.into_iter().map(|each| each.word).collect(),
        segments: head.segments,
        retired: false,
        when,
        unless,
        params,
        actions: then.into_iter().map(|each| each.action).collect(),
        table: None,
        reason: head.reason,
        notice: head.notice,
        on_unknown,
        once: head.once,
        reads_block: reads.iter().any(|slot| depends_on_cause(&known.schema.symbol(*slot).name)),
        reads,
        owner: head.owner,
        hash: Arc::from(sha256_hex(source.text.as_bytes())),
        path: source.path.to_owned(),
        then_text,
    })
}

/// "Not the condition": why a block is lifted when its waiver ends.
fn negated(when: &Program, names: &Scope<'_>) -> Option<Program> {
    let compiled = compile(&format!("!({})", when.text()), 0, names, Expect::Bool);
    compiled.ok().map(|each| each.program)
}

impl Source<'_> {
    /// The part of the file behind a node, its indentation taken off.
    fn part(&self, node: &Node) -> String {
        let text = self.text.get(node.span.start..node.span.end).unwrap_or_default().trim_end();
        let indent = self.text[..node.span.start].rsplit('\n').next().map_or(0, |line| line.chars().count());
        let cut = |line: &str| {
            let blank = line.chars().take(indent).take_while(|c| *c == ' ').count();
            line[blank..].to_owned()
        };
        let lines: Vec<String> =
            text.lines().enumerate().map(|(at, line)| if at == 0 { line.to_owned() } else { cut(line) }).collect();
        lines.join("\n")
    }
}

fn reads(when: &Program, then: &[Placed]) -> Vec<usize> {
    let amounts = then.iter().flat_map(|each| each.action.programs());
    let slots: BTreeSet<usize> = amounts.chain([when]).flat_map(|program| program.reads().iter().copied()).collect();
    slots.into_iter().collect()
}

pub fn head(fields: &Fields<'_>, source: &Source<'_>, out: &mut Findings) -> Option<Head> {
    fields.read("id", out, |node| id(node, stem(source.path)));
    let number = fields.read("number", out, |node| whole(node, 1, NUMBER_MAX));
    let titles = fields.need("title", out).and_then(|node| titles(node, out));
    let why = fields.read("why", out, owned);
    let family = fields.read("family", out, |node| word(node, "family", Family::ALL, Family::word));
    let segments = match fields.get("segments") {
        Some(node) => each(node, out, |node| word(node, "segment", Segment::ALL, Segment::word)),
        None => Vec::new(),
    };
    let reason = fields.read("reason", out, reason);
    let notice = fields.get("notice").and_then(|node| notice(node, out));
    let once = fields.read_or("once", Once::No, out, |node| {
        word(node, "way to limit repetition", &["account", "entry"], |each| each).map(once)
    });
    let owner = fields.read("owner", out, owned);
    fields.read("since", out, date);
    Some(Head {
        number: u32::try_from(number?).ok()?,
        titles: titles?,
        why: why?,
        family: family?,
        segments,
        reason: reason?,
        notice,
        once,
        owner: owner?,
    })
}

fn id(node: &Node, stem: &str) -> Result<String, Diagnostic> {
    let id = snake(node)?;
    if id == stem {
        return Ok(id);
    }
    let message = format!("the id `{id}` is not the file's name `{stem}`");
    Err(Diagnostic::error("HR0212", message, node.span).help("rules are found by their file: give both one name"))
}

fn titles(node: &Node, out: &mut Findings) -> Option<(String, String)> {
    let fields = Fields::of(node, "a title", &["en", "zh"], out)?;
    let en = fields.read("en", out, owned);
    let zh = fields.read("zh", out, owned);
    Some((en?, zh?))
}

/// A reason code.
pub fn reason(node: &Node) -> Result<String, Diagnostic> {
    let code = text(node)?;
    let fine = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    if code.starts_with(|c: char| c.is_ascii_uppercase()) && code.chars().all(fine) {
        return Ok(code.to_owned());
    }
    let finding = Diagnostic::error("HR0205", format!("`{code}` is no reason code"), node.span);
    Err(finding.help("upper-case letters, digits and underscores: `ORDER_VOLATILITY`"))
}

/// What the customer is told.
pub fn notice(node: &Node, out: &mut Findings) -> Option<NoticeSpec> {
    let fields = Fields::of(node, "a notice", &["template", "can_do"], out)?;
    let can_do = can_do(&fields, out);
    Some(NoticeSpec { template: fields.read("template", out, snake)?, can_do })
}

fn date(node: &Node) -> Result<jiff::civil::Date, Diagnostic> {
    let written = text(node)?;
    written.parse().map_err(|_| {
        let finding = Diagnostic::error("HR0210", format!("`{written}` is no date"), node.span);
        finding.help("write it like `2026-11-22`")
    })
}

fn once(word: &str) -> Once {
    if word == "account" { Once::Account } else { Once::Entry }
}

/// What unknown does.
pub fn on_unknown(node: &Node) -> Result<OnUnknown, Diagnostic> {
    let word = word(node, "answer to unknown", &["skip", "hold", "review"], |each| each)?;
    Ok(match word {
        "hold" => OnUnknown::Hold,
        "review" => OnUnknown::Review,
        _ => OnUnknown::Skip,
    })
}

fn subject(fields: &Fields<'_>, out: &mut Findings) -> Subject {
    let Some(node) = fields.get("cause") else { return Subject::default() };
    if node.text().is_some_and(|text| text.trim() == "review") {
        return Subject { of_review: true, ..Subject::default() };
    }
    let before = out.0.len();
    let mut causes = each(node, out, |node| word(node, "cause", Cause::ALL, Cause::word));
    causes.sort_unstable();
    causes.dedup();
    Subject { causes, of_review: false, broken: out.0.len() > before }
}

/// What fires a rule.
pub fn triggers(fields: &Fields<'_>, known: &Known<'_>, out: &mut Findings) -> Vec<Trigger> {
    let Some(node) = fields.need("on", out) else { return Vec::new() };
    let found = each(node, out, |node| trigger(node, known));
    for (at, one) in found.iter().enumerate() {
        if found[..at].iter().any(|earlier| earlier.on == one.on) {
            out.add(Diagnostic::error("HR0213", format!("`{}` is listed twice", one.word), one.at));
        }
    }
    found
}

fn trigger(node: &Node, known: &Known<'_>) -> Result<Trigger, Diagnostic> {
    let written = text(node)?;
    let on = match written.strip_prefix("fact ") {
        Some(name) => fact(name.trim(), node, known)?,
        None => On::Kind(word(node, "trigger", TriggerKind::ALL, TriggerKind::word)?),
    };
    Ok(Trigger { on, word: written.to_owned(), at: node.span })
}

fn fact(name: &str, node: &Node, known: &Known<'_>) -> Result<On, Diagnostic> {
    if let Some(found) = known.facts.values().find(|each| each.name == name) {
        return Ok(On::Fact(fact_key(&found.name)));
    }
    let finding = Diagnostic::error("HR0204", format!("`{name}` is no fact"), node.span);
    Err(near(finding, name, known.facts.values().map(|each| each.name.as_str())))
}
