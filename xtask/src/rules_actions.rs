//! The actions as `docs/RULES.md` shows them. The words are held against the real loader: an action, an argument or an
//! example that it does not know, or that is missing here, fails a test.

use headroom_engine::{FileReport, Ruleset};

/// One action, for people.
#[derive(Clone, Copy, Debug)]
pub struct Action {
    /// Its word.
    pub word: &'static str,
    /// The class of the rules that may begin with it; empty: it only stands beside another.
    pub class: &'static str,
    /// What it competes for.
    pub field: &'static str,
    /// What it does.
    pub does: &'static str,
    /// As a rule writes it.
    pub example: &'static str,
    /// Its arguments and what they mean.
    pub arguments: &'static [(&'static str, &'static str)],
}

const PERCENT_OF_BASE: (&str, &str) = ("percent", "int expression: percent of `limit.base`");
const BY: (&str, &str) = ("by", "money expression: by so much (one of `percent`, `by`, `to`)");
const TO: (&str, &str) = ("to", "money expression: to so much");

/// Every action, in the order of the engine's list.
pub const ACTIONS: &[Action] = &[
    Action {
        word: "increase",
        class: "increase",
        field: "base",
        does: "raises base; an increase to at or below base is no change",
        example: "increase: {percent: 5}",
        arguments: &[PERCENT_OF_BASE, BY, TO],
    },
    Action {
        word: "decrease",
        class: "decrease",
        field: "base",
        does: "lowers base; ends boosts with it",
        example: "decrease: {percent: 10, floor: balance.used, after: 15d}",
        arguments: &[
            PERCENT_OF_BASE,
            BY,
            TO,
            ("floor", "money expression: not below this"),
            ("after", "duration: announced now, carried out then if the condition still holds (default: at once)"),
        ],
    },
    Action {
        word: "boost",
        class: "boost",
        field: "boost",
        does: "grants for a time; the amount is fixed at grant, at most half of base",
        example: "boost: {percent: 30, until: promotion.end + 7d}",
        arguments: &[
            PERCENT_OF_BASE,
            ("by", "money expression: so much (one of `percent`, `by`)"),
            ("from", "time (default: `promotion.start` on `promotion_announced` and `promotion_near`, else `now`)"),
            ("until", "time, required"),
        ],
    },
    Action {
        word: "extend_boost",
        class: "boost",
        field: "boost",
        does: "prolongs the boosts of the promotion",
        example: "extend_boost: {until: promotion.end + 3d}",
        arguments: &[("until", "time, required")],
    },
    Action {
        word: "step_boost",
        class: "decrease",
        field: "boost",
        does: "shrinks boosts step by step; owns its timers",
        example: "step_boost: {percent: 25, every: 7d, steps: 4}",
        arguments: &[
            ("percent", "int expression: percent of the granted amount per step"),
            ("every", "duration between steps"),
            ("steps", "1 to 52"),
        ],
    },
    Action {
        word: "end_boost",
        class: "decrease",
        field: "boost",
        does: "ends boosts; not adverse: it defers nothing and starts no cool-down",
        example: "end_boost: {}",
        arguments: &[],
    },
    Action {
        word: "regrant_boost",
        class: "boost",
        field: "boost",
        does: "gives a stepped-down boost its granted amount again, until its last planned step",
        example: "regrant_boost: {}",
        arguments: &[],
    },
    Action {
        word: "freeze",
        class: "freeze",
        field: "block(cause)",
        does: "blocks; never loosens a block of its cause, never resets since when it stands",
        example: "freeze: {scope: watch, ceiling: limit.base * 20 / 100}",
        arguments: &[
            ("scope", "`watch`, `cash`, `spend` or `all`, required"),
            ("cause", "the block's key (default: the rule's one `cause`)"),
            ("ceiling", "money expression: down to this (default 0; of `watch` none)"),
            ("until", "time (default: until lifted)"),
        ],
    },
    Action {
        word: "unfreeze",
        class: "restore",
        field: "block(cause)",
        does: "lifts the block of the rule's cause",
        example: "unfreeze: {}",
        arguments: &[],
    },
    Action {
        word: "restore",
        class: "restore",
        field: "block(cause)",
        does: "loosens the block of the rule's cause, and writes a waiver; never touches base",
        example: "restore: {percent: 80, within: 3h, recheck: 15m, waive_until: promotion.end + 24h}",
        arguments: &[
            ("percent", "int expression: percent of what was granted before the block"),
            ("of", "`granted_before_block`, the only one there is"),
            ("within", "duration: the deadline, counted from the block; missed, it asks a person (default: none)"),
            ("recheck", "duration between tries until then (default: none)"),
            ("waive_until", "time: until then freezes of this cause are overridden while the condition holds"),
        ],
    },
    Action {
        word: "undo",
        class: "restore",
        field: "base, boost, block",
        does: "gives adverse changes back, under caps and not past a later adverse change of another cause",
        example: "undo: {percent: 50}",
        arguments: &[
            ("percent", "int expression: percent of the delta"),
            ("of", "`cause` (the rule's, default) or `fault` (changes made while the fault lasted)"),
            ("field", "`base` or `block`: only changes of it (default: of everything)"),
        ],
    },
    Action {
        word: "cap",
        class: "cap",
        field: "cap(name)",
        does: "sets a ceiling on `limit.granted`",
        example: "cap: {name: other_lines, to: p.zero, for: 90d}",
        arguments: &[
            ("name", "`customer`, `product`, `tier`, `probation` or `other_lines`"),
            ("to", "money expression"),
            ("for", "duration (default: until lifted)"),
        ],
    },
    Action {
        word: "uncap",
        class: "restore",
        field: "cap(name)",
        does: "lifts a cap",
        example: "uncap: {name: probation}",
        arguments: &[("name", "as of `cap`")],
    },
    Action {
        word: "hold",
        class: "hold",
        field: "hold(of)",
        does: "stops favourable changes for a time",
        example: "hold: {until: cured + 30d}",
        arguments: &[
            ("of", "`increase`, `boost` or both as a list (default: both)"),
            ("until", "time, `cured`, or `cured + 30d`: days after nothing is due any more"),
            ("for", "duration instead of `until`; `0d`: this decision only"),
        ],
    },
    Action {
        word: "review",
        class: "review",
        field: "none: never arbitrated away",
        does: "asks a person",
        example: "review: {kind: order, blocking: true, priority: high}",
        arguments: &[
            ("kind", "snake_case word; one open review per kind and cause"),
            ("blocking", "`true`: while it is open nothing goes up and nothing is restored (default `false`)"),
            ("priority", "`low`, `normal` (default), `high`"),
            ("proposal", "money expression: what the rule suggests"),
        ],
    },
    Action {
        word: "notify",
        class: "",
        field: "none: never arbitrated away",
        does: "tells the customer",
        example: "notify: {template: reminder, due: 24h, can_do: [repay]}",
        arguments: &[
            ("template", "snake_case name of the text"),
            ("due", "duration (default: the ruleset's `notice_within`)"),
            ("can_do", "some of `repay`, `verify`, `top_up`, `wait`, `appeal`"),
        ],
    },
];

/// The arguments that the loader knows of an action, in its order.
pub fn arguments_of(word: &str) -> Vec<String> {
    let reports = load("review", &format!("{word}: {{qqqqqqqqqqqq: 1}}")).expect_err("no action has that argument");
    let found = reports.iter().flat_map(|each| &each.diagnostics).find(|each| each.message.contains("qqqqqqqqqqqq"));
    let help = found.and_then(|each| each.help.clone()).unwrap_or_default();
    help.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// What the loader has against the examples of the actions.
pub fn example_findings() -> Vec<String> {
    ACTIONS.iter().flat_map(against).collect()
}

fn against(action: &Action) -> Vec<String> {
    let loaded = match action.class {
        "" => load("review", &format!("review: {{kind: x}}\n  {}", action.example)),
        class => load(class, action.example),
    };
    let reports = loaded.err().unwrap_or_default();
    let messages = reports.iter().flat_map(|each| &each.diagnostics).map(|each| each.message.clone());
    messages.map(|message| format!("`{}`: {message}", action.example)).collect()
}

/// A ruleset of one rule with these actions.
fn load(class: &str, then: &str) -> Result<Ruleset, Vec<FileReport>> {
    let text = format!(
        "id: probe\nnumber: 1\ntitle: {{en: Probe, zh: 探针}}\nwhy: To ask the loader.\nfamily: growth\nclass: {class}\n\
         cause: volatility\non: [order_placed]\nwhen: delinquency.dpd == 0\non_unknown: skip\nthen:\n  {then}\n\
         reason: PROBE\nowner: nobody\nsince: 2026-01-01\n"
    );
    Ruleset::load(&[("growth/probe.rule.yaml".to_owned(), text)])
}
