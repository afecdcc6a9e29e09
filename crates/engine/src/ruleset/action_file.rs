//! The `then` of a rule file: actions with their arguments, compiled.

use headroom_policy::yaml::{Key, Kind, Node};
use headroom_policy::{Diagnostic, Expect, Expr, Kind as ExprKind, Program, Scope as Names, Span, compile};

use crate::features::Feature;
use crate::stack::UndoField;
use crate::vocabulary::{CapName, Cause, HoldOf, Priority, Scope};

use super::action::{ACTION_WORDS, Action, Amount, HoldSpec, TimeBase, TimeExpr};
use super::fields::{
    self, Fields, Findings, duration, each, entries, near, not_a_duration, parse_duration, snake, whole, word, yes,
};
use super::rule_check::{Subject, Trigger, reading};

/// What a customer can do about a restriction.
pub const CAN_DO: &[&str] = &["repay", "verify", "top_up", "wait", "appeal"];

/// What surrounds an expression or an action in its rule.
#[derive(Clone, Copy, Debug)]
pub struct Around<'a> {
    /// What expressions may name.
    pub names: Names<'a>,
    /// The feature in a slot; facts that the ruleset declares have none.
    pub features: &'a [&'static Feature],
    /// What the rule is about.
    pub subject: &'a Subject,
    /// What fires it.
    pub triggers: &'a [Trigger],
    /// It raises what the customer may use.
    pub favourable: bool,
}

/// An action and where its word stands.
#[derive(Debug)]
pub struct Placed {
    /// The action.
    pub action: Action,
    /// Its word.
    pub at: Span,
}

/// The actions of a `then`: a map in the order of the file, or a list of maps with one key each; `None` if one is wrong.
pub fn actions(node: &Node, around: &Around<'_>, out: &mut Findings) -> Option<Vec<Placed>> {
    let maps: Vec<&Node> = match &node.kind {
        Kind::Seq(elements) => elements.iter().collect(),
        _ => vec![node],
    };
    let mut found = Vec::new();
    for map in maps {
        for (key, arguments) in out.take(entries(map, "the actions"))? {
            let action = action(key, arguments, around, out);
            found.push(action.map(|action| Placed { action, at: key.span }));
        }
    }
    found.into_iter().collect()
}

fn action(key: &Key, node: &Node, around: &Around<'_>, out: &mut Findings) -> Option<Action> {
    let read = Reading { node, around };
    match key.text.as_str() {
        "increase" => read.increase(out),
        "decrease" => read.decrease(out),
        "boost" => read.boost(out),
        "extend_boost" => read.extend_boost(out),
        "step_boost" => read.step_boost(out),
        "end_boost" => read.bare(Action::EndBoost, out),
        "regrant_boost" => read.bare(Action::RegrantBoost, out),
        "freeze" => read.freeze(key.span, out),
        "unfreeze" => read.bare(Action::Unfreeze, out),
        "restore" => read.restore(out),
        "undo" => read.undo(out),
        "cap" => read.cap(out),
        "uncap" => read.uncap(out),
        "hold" => read.hold(out),
        "review" => read.review(out),
        "notify" => read.notify(out),
        other => {
            let finding = Diagnostic::error("HR0204", format!("`{other}` is no action"), key.span);
            out.add(near(finding, other, ACTION_WORDS.iter().copied()));
            None
        }
    }
}

/// Compiles the expression in a node; its warnings are noted as well.
pub fn program(node: &Node, around: &Around<'_>, expect: Expect, out: &mut Findings) -> Option<Program> {
    out.take(fields::text(node))?;
    let text = node.text().unwrap_or_default();
    match compile(text, node.source_map(), &around.names, expect) {
        Ok(compiled) => {
            out.0.extend(compiled.warnings);
            hidden_risks(node, &compiled.program, around, out);
            reading(&compiled.program, node, around.subject, around.triggers, &around.names, out);
            Some(compiled.program)
        }
        Err(errors) => {
            out.0.extend(errors);
            None
        }
    }
}

/// Warns of `default(risk, its good value)` in a favourable rule: silence of a feed would then count as good news.
fn hidden_risks(node: &Node, program: &Program, around: &Around<'_>, out: &mut Findings) {
    if !around.favourable {
        return;
    }
    program.root().walk(&mut |expr: &Expr| {
        let ExprKind::Default(slot, other) = &expr.kind else { return };
        let Some(feature) = around.features.get(*slot) else { return };
        if feature.good.is_some() && feature.good == other.constant() {
            let message = format!("`default` takes an unknown `{}` for good news in a favourable rule", feature.name);
            let finding = Diagnostic::warning("HR0230", message, node.source_map().map(expr.span));
            out.add(finding.help("without it the rule does not fire while the risk is unknown"));
        }
    });
}

/// The constants that an expression may come to, through every `?:`.
fn outcomes(expr: &Expr) -> Vec<i64> {
    match &expr.kind {
        ExprKind::Choose(parts) => parts[1..].iter().flat_map(outcomes).collect(),
        _ => expr.constant().into_iter().collect(),
    }
}

struct Reading<'a> {
    node: &'a Node,
    around: &'a Around<'a>,
}

impl<'a> Reading<'a> {
    fn fields(&self, what: &'a str, known: &[&str], out: &mut Findings) -> Option<Fields<'a>> {
        Fields::of(self.node, what, known, out)
    }

    fn program(&self, node: &Node, expect: Expect, out: &mut Findings) -> Option<Program> {
        program(node, self.around, expect, out)
    }

    fn needed(&self, fields: &Fields<'a>, key: &str, expect: Expect, out: &mut Findings) -> Option<Program> {
        let node = fields.need(key, out)?;
        self.program(node, expect, out)
    }

    /// An expression that may be absent; `None` if it is given and wrong.
    fn optional(&self, fields: &Fields<'a>, key: &str, expect: Expect, out: &mut Findings) -> Option<Option<Program>> {
        match fields.get(key) {
            Some(node) => self.program(node, expect, out).map(Some),
            None => Some(None),
        }
    }

    fn bare(&self, action: Action, out: &mut Findings) -> Option<Action> {
        self.fields("this action", &[], out).map(|_| action)
    }

    /// Exactly one of `percent`, `by`, `to`, as far as the action has them.
    fn amount(&self, fields: &Fields<'a>, ways: &[&str], out: &mut Findings) -> Option<Amount> {
        let given: Vec<&str> = ways.iter().copied().filter(|way| fields.get(way).is_some()).collect();
        let [way] = given.as_slice() else {
            let message = format!("exactly one of `{}` is needed", ways.join("`, `"));
            out.add(Diagnostic::error("HR0202", message, fields.place(given.get(1).copied().unwrap_or_default())));
            return None;
        };
        let expect = if *way == "percent" { Expect::Int } else { Expect::Money };
        let program = self.program(fields.get(way)?, expect, out)?;
        Some(match *way {
            "percent" => Amount::Percent(program),
            "by" => Amount::By(program),
            _ => Amount::To(program),
        })
    }

    /// `percent` of something that there is.
    fn share(&self, fields: &Fields<'a>, out: &mut Findings) -> Option<Program> {
        let program = self.needed(fields, "percent", Expect::Int, out)?;
        self.is_share(&program, fields, out);
        Some(program)
    }

    /// 0 to 100, wherever it is a constant or a parameter.
    fn is_share(&self, program: &Program, fields: &Fields<'a>, out: &mut Findings) {
        for value in outcomes(program.root()).into_iter().filter(|value| !(0..=100).contains(value)) {
            let message = format!("`{value}` percent of what there is: it lies outside 0 to 100");
            let finding = Diagnostic::error("HR0207", message, fields.place("percent"));
            out.add(finding.help("the value may come from `ruleset.yaml`, under `params`"));
        }
    }

    fn increase(&self, out: &mut Findings) -> Option<Action> {
        let ways = ["percent", "by", "to"];
        let fields = self.fields("an increase", &ways, out)?;
        self.amount(&fields, &ways, out).map(Action::Increase)
    }

    fn decrease(&self, out: &mut Findings) -> Option<Action> {
        let fields = self.fields("a decrease", &["percent", "by", "to", "floor", "after"], out)?;
        let amount = self.amount(&fields, &["percent", "by", "to"], out);
        if let Some(Amount::Percent(program)) = &amount {
            self.is_share(program, &fields, out);
        }
        let floor = self.optional(&fields, "floor", Expect::Money, out);
        let after = fields.read_or("after", 0, out, duration);
        Some(Action::Decrease { amount: amount?, floor: floor?, after })
    }

    fn boost(&self, out: &mut Findings) -> Option<Action> {
        let fields = self.fields("a boost", &["percent", "by", "from", "until"], out)?;
        let begin = TimeExpr { base: TimeBase::Beginning, plus: 0 };
        let from = fields.read_or("from", begin, out, time);
        let until = fields.read("until", out, time);
        let amount = self.amount(&fields, &["percent", "by"], out)?;
        Some(Action::Boost { amount, from, until: until? })
    }

    fn extend_boost(&self, out: &mut Findings) -> Option<Action> {
        let until = self.fields("this action", &["until"], out)?.read("until", out, time)?;
        Some(Action::ExtendBoost { until })
    }

    fn step_boost(&self, out: &mut Findings) -> Option<Action> {
        let fields = self.fields("this action", &["percent", "every", "steps"], out)?;
        let percent = self.share(&fields, out);
        let every = fields.read("every", out, duration);
        let steps = fields.read("steps", out, |node| whole(node, 1, 52));
        Some(Action::StepBoost { percent: percent?, every: every?, steps: u32::try_from(steps?).ok()? })
    }

    fn freeze(&self, at: Span, out: &mut Findings) -> Option<Action> {
        let fields = self.fields("a freeze", &["scope", "cause", "ceiling", "until"], out)?;
        let scope = fields.read("scope", out, |node| word(node, "scope", Scope::ALL, Scope::word));
        let cause = self.freeze_cause(&fields, at, out);
        let ceiling = self.optional(&fields, "ceiling", Expect::Money, out);
        let until = fields.read_or("until", None, out, |node| time(node).map(Some));
        Some(Action::Freeze { scope: scope?, cause: cause?, ceiling: ceiling?, until })
    }

    fn freeze_cause(&self, fields: &Fields<'a>, at: Span, out: &mut Findings) -> Option<Cause> {
        if let Some(node) = fields.get("cause") {
            return out.take(word(node, "cause", Cause::ALL, Cause::word));
        }
        let [cause] = self.around.subject.causes.as_slice() else {
            if self.around.subject.broken {
                return None;
            }
            let finding = Diagnostic::error("HR0202", "a freeze needs `cause`", at);
            out.add(finding.help("a rule that declares one `cause` gives it to its freeze"));
            return None;
        };
        Some(*cause)
    }

    fn restore(&self, out: &mut Findings) -> Option<Action> {
        let fields = self.fields("a restore", &["percent", "of", "within", "recheck", "waive_until"], out)?;
        let of = ["granted_before_block"];
        fields.read_or("of", of[0], out, |node| word(node, "basis of a restore", &of, |each| each));
        let percent = self.share(&fields, out);
        let within = fields.read_or("within", 0, out, duration);
        let recheck = fields.read_or("recheck", 0, out, duration);
        let waive_until = fields.read_or("waive_until", None, out, |node| time(node).map(Some));
        Some(Action::Restore { percent: percent?, within, recheck, waive_until })
    }

    fn undo(&self, out: &mut Findings) -> Option<Action> {
        let fields = self.fields("an undo", &["percent", "of", "field"], out)?;
        let of =
            fields.read_or("of", "cause", out, |node| word(node, "basis of an undo", &["cause", "fault"], |each| each));
        let field = fields.read_or("field", None, out, |node| undo_field(node).map(Some));
        let percent = self.share(&fields, out)?;
        Some(Action::Undo { percent, of_fault: of == "fault", field })
    }

    fn cap(&self, out: &mut Findings) -> Option<Action> {
        let fields = self.fields("a cap", &["name", "to", "for"], out)?;
        let name = fields.read("name", out, cap_name);
        let to = self.needed(&fields, "to", Expect::Money, out);
        let lasts = fields.read_or("for", 0, out, duration);
        Some(Action::Cap { name: name?, to: to?, lasts })
    }

    fn uncap(&self, out: &mut Findings) -> Option<Action> {
        let name = self.fields("this action", &["name"], out)?.read("name", out, cap_name)?;
        Some(Action::Uncap { name })
    }

    fn hold(&self, out: &mut Findings) -> Option<Action> {
        let fields = self.fields("a hold", &["of", "until", "for"], out)?;
        let of = match fields.get("of") {
            Some(node) => each(node, out, |node| word(node, "favourable change", HoldOf::ALL, HoldOf::word)),
            None => Vec::new(),
        };
        let lasts = match (fields.get("until"), fields.get("for")) {
            (Some(node), None) => out.take(hold_until(node)),
            (None, Some(node)) => out.take(duration(node)).map(hold_for),
            _ => {
                out.add(Diagnostic::error("HR0202", "exactly one of `until`, `for` is needed", fields.place("until")));
                None
            }
        };
        Some(Action::Hold { of, lasts: lasts? })
    }

    fn review(&self, out: &mut Findings) -> Option<Action> {
        let fields = self.fields("a review", &["kind", "blocking", "priority", "proposal"], out)?;
        let kind = fields.read("kind", out, snake);
        let blocking = fields.read_or("blocking", false, out, yes);
        let priority = fields
            .read_or("priority", Priority::Normal, out, |node| word(node, "priority", Priority::ALL, Priority::word));
        let proposal = self.optional(&fields, "proposal", Expect::Money, out);
        Some(Action::Review { kind: kind?, blocking, priority, proposal: proposal? })
    }

    fn notify(&self, out: &mut Findings) -> Option<Action> {
        let fields = self.fields("this action", &["template", "due", "can_do"], out)?;
        let template = fields.read("template", out, snake);
        let due = fields.read_or("due", None, out, |node| duration(node).map(Some));
        let can_do = can_do(&fields, out);
        Some(Action::Notify { template: template?, due, can_do })
    }
}

/// The list of what the customer can do; absent: nothing.
pub fn can_do(fields: &Fields<'_>, out: &mut Findings) -> Vec<String> {
    let Some(node) = fields.get("can_do") else { return Vec::new() };
    let words = each(node, out, |node| word(node, "thing that a customer can do", CAN_DO, |each| each));
    words.into_iter().map(str::to_owned).collect()
}

/// Boosts that a decrease ended do not come back: their time has gone on.
fn undo_field(node: &Node) -> Result<UndoField, Diagnostic> {
    word(node, "field that is given back", &[UndoField::Base, UndoField::Block], |each| match each {
        UndoField::Block => "block",
        _ => "base",
    })
}

fn cap_name(node: &Node) -> Result<CapName, Diagnostic> {
    word(node, "cap", CapName::ALL, CapName::word)
}

fn hold_for(millis: i64) -> HoldSpec {
    match millis {
        0 => HoldSpec::ThisDecision,
        plus => HoldSpec::Until(TimeExpr { base: TimeBase::Now, plus }),
    }
}

fn hold_until(node: &Node) -> Result<HoldSpec, Diagnostic> {
    let written = fields::text(node)?;
    let Some(rest) = written.strip_prefix("cured") else { return time(node).map(HoldSpec::Until) };
    if rest.trim().is_empty() {
        return Ok(HoldSpec::Cured(0));
    }
    let later = rest.trim().strip_prefix('+').map(str::trim);
    let days = later.and_then(|text| text.strip_suffix('d')).and_then(|count| count.parse::<u16>().ok());
    days.map(|days| HoldSpec::Cured(i32::from(days))).ok_or_else(|| {
        let message = format!("`{written}` is no end of a hold");
        Diagnostic::error("HR0210", message, node.span).help("write `cured` or `cured + 30d`")
    })
}

const BASES: [(&str, TimeBase); 4] = [
    ("now", TimeBase::Now),
    ("promotion.start", TimeBase::PromotionStart),
    ("promotion.end", TimeBase::PromotionEnd),
    ("holiday.end", TimeBase::HolidayEnd),
];

/// A time: `promotion.end + 24h`.
fn time(node: &Node) -> Result<TimeExpr, Diagnostic> {
    let written = fields::text(node)?;
    let at = written.find(['+', '-']).unwrap_or(written.len());
    let (name, rest) = (written[..at].trim(), &written[at..]);
    let Some((_, base)) = BASES.iter().find(|(word, _)| *word == name) else {
        let finding = Diagnostic::error("HR0210", format!("`{name}` is no time to count from"), node.span);
        return Err(near(finding, name, BASES.iter().map(|(word, _)| *word)));
    };
    let plus = match rest.chars().next() {
        None => 0,
        Some(sign) => {
            let text = rest[1..].trim();
            let millis = parse_duration(text).ok_or_else(|| not_a_duration(text, node.span))?;
            if sign == '-' { -millis } else { millis }
        }
    };
    Ok(TimeExpr { base: *base, plus })
}
