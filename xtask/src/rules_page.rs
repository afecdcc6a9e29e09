//! `docs/RULES.md`, made of the engine's own lists and the built-in rules.

use std::collections::BTreeMap;
use std::fmt::Write;

use headroom_engine::{
    BUILT_IN_FACTS, Class, Family, Feature, FeatureType, GROUPS, GUARD_NAMES, NOTICE_TEXTS, OnUnknown, Once, Points,
    RowOutcome, RowWorth, Rule, Ruleset, Segment, TableRows, catalogue,
};
use headroom_policy::{Constant, in_words};

use crate::rules_actions::{ACTIONS, Action};

const NOTE: &str = "<!-- Generated: do not edit. The first part is docs/rules-language.md, the rest comes from the engine's \
lists and rules/. Make it anew with: UPDATE_EXPECT=1 cargo test --release -p xtask --test generated -->";

/// What the page says beside the engine's lists and the rules.
#[derive(Debug)]
pub struct Around {
    /// Its hand-written part.
    pub language: String,
    /// Triggers with what they mean.
    pub triggers: Vec<(String, String)>,
    /// Guards with what they keep.
    pub guards: Vec<(String, String)>,
    /// Reason codes with what they mean.
    pub reasons: BTreeMap<String, String>,
    /// What the conflict check says about rules that meet, by rule.
    pub beside: BTreeMap<String, Vec<String>>,
}

/// The page.
pub fn rules_page(ruleset: &Ruleset, around: &Around) -> String {
    let parts = [
        format!("{NOTE}\n\n{}", around.language.trim_end()),
        actions(),
        triggers_part(&around.triggers),
        guards_part(&around.guards),
        notices_part(),
        features(),
        facts_part(),
        rules(ruleset, around),
    ];
    parts.join("\n\n") + "\n"
}

/// A table's row; bars within cells are kept from ending them.
fn row(cells: &[&str]) -> String {
    let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|").replace('\n', " ")).collect();
    format!("| {} |", cells.join(" | "))
}

fn table(head: &[&str], rows: impl Iterator<Item = String>) -> String {
    let rule = format!("|{}", "---|".repeat(head.len()));
    let lines: Vec<String> = [row(head), rule].into_iter().chain(rows).collect();
    lines.join("\n")
}

fn actions() -> String {
    let overview = ACTIONS.iter().map(|each| row(&[&code(each.word), each.class, each.field, each.does]));
    let overview = table(&["action", "begins a rule of class", "field", "what it does"], overview);
    let details: Vec<String> = ACTIONS.iter().map(action).collect();
    format!("## Actions\n\n{overview}\n\n{}", details.join("\n\n"))
}

fn action(action: &Action) -> String {
    let head = format!("**{}**, like `{}`", action.word, action.example);
    if action.arguments.is_empty() {
        return format!("{head}. It takes no arguments.");
    }
    let lines: Vec<String> = action.arguments.iter().map(|(name, says)| format!("- `{name}`: {says}")).collect();
    format!("{head}\n\n{}", lines.join("\n"))
}

fn triggers_part(triggers: &[(String, String)]) -> String {
    let rows = triggers.iter().map(|(word, says)| row(&[&code(word), says]));
    let fact =
        row(&["`fact NAME`", "The value of this fact changed; a fact that is an occurrence triggers each time."]);
    format!("## Triggers\n\n{}", table(&["`on`", "when"], rows.chain([fact])))
}

fn guards_part(guards: &[(String, String)]) -> String {
    let says = |name: &str| guards.iter().find(|(each, _)| each == name).map_or("", |(_, says)| says);
    let rows = GUARD_NAMES.iter().map(|name| row(&[&code(name), says(name)]));
    format!(
        "## Guards\n\nAsked in this order about every winner that is an increase, a boost, a decrease or a restore; each \
         says which of them it minds. Their bounds are settings.\n\n{}",
        table(&["guard", "what it keeps"], rows)
    )
}

fn notices_part() -> String {
    let rows = NOTICE_TEXTS.iter().map(|(template, en, zh)| row(&[&code(template), en, zh]));
    format!(
        "## Notices\n\nWhat the customer reads. A template that is not in this list has no text of its own: the service that \
         delivers notices words it.\n\n{}",
        table(&["template", "English", "中文"], rows)
    )
}

fn features() -> String {
    let groups: Vec<String> = group_names().iter().map(|name| group(name)).collect();
    let count = catalogue().count();
    format!(
        "## Features\n\n{count} features in {} groups. No value means unknown. *Moved by*: O order, P payment or \
         statement, S fact, A account, M broadcast, X own change, C control, D clock, E known only while that event is \
         decided.\nMoney is in minor units of the account's currency. *History*: unknown on accounts with fewer days of \
         it.\n\n{}",
        groups.len(),
        groups.join("\n\n")
    )
}

/// First segments of the features' names, in the order of the catalogue.
fn group_names() -> Vec<&'static str> {
    let mut names = Vec::new();
    for each in GROUPS.iter().copied().flatten() {
        let name = group_of(each);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn group_of(feature: &Feature) -> &'static str {
    feature.name.split('.').next().unwrap_or_default()
}

fn group(name: &str) -> String {
    let rows = catalogue().filter(|each| group_of(each) == name).map(feature);
    let head = ["feature", "type", "unit", "range", "moved by", "history", "meaning"];
    format!("### {name}\n\n{}", table(&head, rows))
}

fn feature(feature: &Feature) -> String {
    let ty = match feature.ty {
        FeatureType::Enum(words) => format!("enum: {}", words.join(", ")),
        other => type_word(other).to_owned(),
    };
    let range = match feature.ty {
        FeatureType::Bool | FeatureType::Enum(_) => String::new(),
        FeatureType::Money => money_range(feature).to_owned(),
        FeatureType::Int | FeatureType::Percent => format!("{} … {}", feature.min, feature.max),
    };
    let history =
        if feature.min_history_days > 0 { format!("{} days", feature.min_history_days) } else { String::new() };
    row(&[&code(feature.name), &ty, feature.unit, &range, feature.moved_by, &history, feature.meaning])
}

fn money_range(feature: &Feature) -> &'static str {
    if feature.min < 0 { "may be negative" } else { "0 or more" }
}

fn facts_part() -> String {
    let rows = BUILT_IN_FACTS.iter().map(|(name, ty, min, max, occurrence)| {
        let range = if *ty == FeatureType::Money || *ty == FeatureType::Bool {
            String::new()
        } else {
            format!("{min} … {max}")
        };
        row(&[&code(name), type_word(*ty), &range, if *occurrence { "each report counts" } else { "the last value" }])
    });
    format!(
        "## Facts\n\nWhat signals may report under every ruleset; `facts.yaml` declares others.\n\n{}",
        table(&["fact", "type", "range", "what counts"], rows)
    )
}

fn type_word(ty: FeatureType) -> &'static str {
    match ty {
        FeatureType::Bool => "bool",
        FeatureType::Enum(_) => "enum",
        FeatureType::Money => "money",
        FeatureType::Int => "int",
        FeatureType::Percent => "percent",
    }
}

fn rules(ruleset: &Ruleset, around: &Around) -> String {
    let overview = ruleset.rules.iter().map(|each| {
        let link = format!("[`{}`](#{})", each.id, each.id);
        row(&[&each.number.to_string(), &link, each.family.word(), &classes(each), &code(&each.reason)])
    });
    let overview = table(&["number", "rule", "family", "class", "reason"], overview);
    let families: Vec<String> = Family::ALL.iter().filter_map(|family| family_part(ruleset, *family, around)).collect();
    format!("## Built-in rules\n\n{overview}\n\n{}", families.join("\n\n"))
}

fn family_part(ruleset: &Ruleset, family: Family, around: &Around) -> Option<String> {
    let rules: Vec<String> =
        ruleset.rules.iter().filter(|each| each.family == family).map(|each| rule(each, ruleset, around)).collect();
    (!rules.is_empty()).then(|| rules.join("\n\n"))
}

fn rule(rule: &Rule, ruleset: &Ruleset, around: &Around) -> String {
    let (scores, schema) = (&ruleset.scores, &ruleset.schema);
    let mut text = format!("### {}\n\n**{}** · {}\n\n{}\n", rule.id, rule.title_en, rule.title_zh, rule.why);
    for (name, says) in facts(rule, around) {
        // Writing to a string does not fail.
        let _ = write!(text, "\n- {name}: {says}");
    }
    text.push_str(&condition(rule));
    let _ = write!(text, "\n\n```cel\n{}\n```", rule.when.text().trim_end());
    match &rule.table {
        None => _ = write!(text, "\n\n```yaml\n{}\n```", rule.then_text),
        Some(rows) => text.push_str(&rows_of_table(&rows.rows, "then", |gives: &RowOutcome| {
            (gives.then_text.clone(), gives.reason.clone())
        })),
    }
    for score in scores.iter().filter(|each| *each.table == *rule.id) {
        if let Points::Part(rows) = &score.points {
            let _ = write!(text, "\n\n`{}`:", schema.symbol(score.slot).name);
            text.push_str(&rows_of_table(rows, "points", |gives: &RowWorth| {
                (gives.points.to_string(), gives.reason.clone())
            }));
        }
    }
    text.push_str(&beside(rule, around));
    text
}

/// What the conflict check says about it.
fn beside(rule: &Rule, around: &Around) -> String {
    match around.beside.get(&*rule.id) {
        Some(lines) => format!("\n\nBeside other rules:\n\n- {}", lines.join("\n- ")),
        None => "\n\nBeside other rules: none is in its way.".to_owned(),
    }
}

/// What it may do; a table, by row.
fn classes(rule: &Rule) -> String {
    rule.classes().into_iter().map(Class::word).collect::<Vec<_>>().join(" or ")
}

/// The rows of a decision table, with its hit policy.
fn rows_of_table<T>(rows: &TableRows<T>, gives: &str, says: impl Fn(&T) -> (String, Option<String>)) -> String {
    let columns = rows.columns.iter().map(|each| code(&each.text));
    let head: Vec<String> = columns.chain([gives.to_owned(), "reason".to_owned()]).collect();
    let lines = rows.rows.iter().map(|each| {
        let (does, reason) = says(&each.gives);
        let cells = each.cells.iter().map(|cell| if each.otherwise { "otherwise".to_owned() } else { cell.clone() });
        let reason = reason.map(|reason| format!("[`{reason}`](reasons/{reason}.md)")).unwrap_or_default();
        let all: Vec<String> = cells.chain([does, reason]).map(|cell| cell.replace('|', "\\|")).collect();
        row(&all.iter().map(String::as_str).collect::<Vec<_>>())
    });
    let head: Vec<&str> = head.iter().map(String::as_str).collect();
    format!("\n\nHit policy `{}`.\n\n{}", rows.hit.word(), table(&head, lines).trim_end())
}

/// The parts of the condition that must all hold, in words.
fn condition(rule: &Rule) -> String {
    let parts: Vec<String> = rule.when.conjuncts().iter().map(|part| format!("\n- {}", in_words(part))).collect();
    let head = if parts.len() > 1 { "It fires when all of this holds:" } else { "It fires when this holds:" };
    format!("\n\n{head}\n{}", parts.join(""))
}

fn facts(rule: &Rule, around: &Around) -> Vec<(&'static str, String)> {
    let file = format!("[`{}`](../rules/{})", rule.path, rule.path);
    let causes: Vec<String> = rule.causes.iter().map(|each| code(each.word())).collect();
    let segments: Vec<String> = rule.segments.iter().copied().map(Segment::word).map(code).collect();
    let triggers: Vec<String> = rule.on_words.iter().map(|each| code(each)).collect();
    let params: Vec<String> =
        rule.params.iter().map(|(name, value)| code(&format!("{name} = {}", constant(value)))).collect();
    let notice = rule.notice.as_ref().map(|each| notice_text(&each.template, &each.can_do)).unwrap_or_default();
    let all = [
        ("family, class", format!("{}, {}", rule.family.word(), classes(rule))),
        ("number", rule.number.to_string()),
        ("file", file),
        ("triggers", triggers.join(", ")),
        ("cause", causes.join(", ")),
        ("segments", segments.join(", ")),
        ("parameters", params.join(", ")),
        ("reason", reason(rule, around)),
        ("notice", notice),
        ("unknown", unknown(rule).to_owned()),
        ("once", once(rule).to_owned()),
        ("owner", rule.owner.clone()),
    ];
    all.into_iter().filter(|(_, says)| !says.is_empty()).collect()
}

fn unknown(rule: &Rule) -> &'static str {
    match rule.on_unknown {
        OnUnknown::Skip => "nothing happens, and it is counted",
        OnUnknown::Hold => "increases and boosts of this decision are held",
        OnUnknown::Review => "a person looks",
    }
}

fn once(rule: &Rule) -> &'static str {
    match rule.once {
        Once::No => "",
        Once::Account => "per account",
        Once::Entry => "each time its condition becomes true",
    }
}

fn reason(rule: &Rule, around: &Around) -> String {
    let link = format!("[`{0}`](reasons/{0}.md)", rule.reason);
    match around.reasons.get(&rule.reason) {
        Some(says) => format!("{link}: {says}"),
        None => link,
    }
}

fn notice_text(template: &str, can_do: &[String]) -> String {
    let words: Vec<String> = can_do.iter().map(|each| code(each)).collect();
    let texts = NOTICE_TEXTS.iter().find(|(name, ..)| *name == template);
    let texts = texts.map_or_else(String::new, |(_, en, zh)| format!(": “{en}” · “{zh}”"));
    let can_do = if words.is_empty() { String::new() } else { format!("; can do: {}", words.join(", ")) };
    format!("{}{texts}{can_do}", code(template))
}

fn constant(value: &Constant) -> String {
    match value {
        Constant::Int(value) => value.to_string(),
        Constant::Bool(value) => value.to_string(),
        Constant::Money(values) => {
            let amounts: Vec<String> = values.iter().map(|(currency, minor)| format!("{currency} {minor}")).collect();
            format!("{} (minor units)", amounts.join(", "))
        }
    }
}

fn code(word: &str) -> String {
    format!("`{word}`")
}
