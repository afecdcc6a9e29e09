//! A rule held against facts, as a tree: each part of the condition with its value.

use headroom_engine::{Rule, Ruleset};
use headroom_node::view::Item;
use headroom_policy::{Datum, Trace, TraceNode, Verdict};
use headroom_sim::{Asking, CountedRow, Held, missing_name, write_money};

/// For people.
pub fn text(rule: &Rule, ruleset: &Ruleset, held: &Held) -> String {
    let mut out = String::new();
    if held.wrong_segment {
        out.push_str(&format!("{} is not for this segment: it is not asked\n\n", rule.id));
    }
    let asked: Vec<String> = held.asked.iter().map(|each| asking(rule, ruleset, each)).collect();
    out + &asked.join("\n")
}

fn asking(rule: &Rule, ruleset: &Ruleset, asked: &Asking) -> String {
    let about = asked.cause.map_or_else(String::new, |cause| format!(", asked for cause {}", cause.word()));
    let mut out = format!("{} {}{about}\n", rule.id, outcome(asked.verdict()));
    for node in asked.in_the_way() {
        out.push_str(&format!("  {:8} {}\n", value(node), node.text));
    }
    let missing = asked.missing(ruleset);
    if !missing.is_empty() {
        out.push_str(&format!("  not known: {}\n", missing.join(", ")));
    }
    for row in &asked.rows {
        let cells = if row.cells.is_empty() { String::new() } else { format!(" where {}", row.cells) };
        out.push_str(&format!("  {}{cells}: {}\n", row.place, row.gives));
    }
    out.push('\n');
    let title = asked.all_of.then_some("all of these");
    branch(&asked.condition.root, title, ruleset, &mut out);
    for (word, amount) in asked.words.iter().zip(&asked.amounts) {
        out.push_str(&format!("\n{word}: {}\n", value(&amount.root)));
        if !is_constant(&amount.root) {
            branch(&amount.root, None, ruleset, &mut out);
        }
    }
    out
}

fn outcome(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::True => "fires",
        Verdict::False => "does not fire",
        Verdict::Unknown => "does not fire: its condition is unknown",
        Verdict::Error => "does not fire: its arithmetic has no result",
    }
}

/// `title` stands in the place of the root's text.
fn branch(root: &TraceNode, title: Option<&str>, ruleset: &Ruleset, out: &mut String) {
    let mut rows = Vec::new();
    collect(root, "", "", &mut rows);
    let width = rows.iter().map(|(lead, node)| lead.chars().count() + value(node).chars().count()).max().unwrap_or(0);
    for (lead, node) in rows {
        let left = format!("{lead}{}", value(node));
        let missing = missing_name(node.value, ruleset).filter(|_| node.children.is_empty());
        let note = missing.map_or_else(String::new, |_| "  ← not known".to_owned());
        let text = title.filter(|_| lead.is_empty()).unwrap_or(&node.text);
        out.push_str(&format!("{left:width$}  {text}{note}\n"));
    }
}

/// Rows with what stands before them: `├─ `, `│  └─ `.
fn collect<'a>(node: &'a TraceNode, lead: &str, below: &str, rows: &mut Vec<(String, &'a TraceNode)>) {
    rows.push((lead.to_owned(), node));
    let children: Vec<&TraceNode> = node.children.iter().filter(|each| !is_constant(each)).collect();
    for (nth, child) in children.iter().enumerate() {
        let (mark, rest) = if nth + 1 == children.len() { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        collect(child, &format!("{below}{mark}"), &format!("{below}{rest}"), rows);
    }
}

/// A constant says what it is.
fn is_constant(node: &TraceNode) -> bool {
    node.children.is_empty() && node.text.replace('\'', "\"") == node.datum.to_string()
}

fn value(node: &TraceNode) -> String {
    match (&node.datum, node.verdict) {
        (Datum::Unknown(_), _) => "unknown".to_owned(),
        (Datum::Error(fault), _) => fault.code().to_owned(),
        (Datum::Money(amount), _) => write_money(*amount),
        (Datum::Text(text), _) => text.clone(),
        (Datum::Ratio { part, whole }, _) => format!("{} %", i128::from(*part) * 100 / i128::from(*whole).max(1)),
        (datum, _) => datum.to_string(),
    }
}

/// For machines.
pub fn item(rule: &Rule, ruleset: &Ruleset, held: &Held) -> Item {
    let asked = held.asked.iter().map(|each| {
        Item::fields([
            ("cause", each.cause.map(|cause| cause.word()).into()),
            ("verdict", word(each.verdict()).into()),
            ("in_the_way", Item::list(each.in_the_way().into_iter().map(|node| node.text.as_str()))),
            ("missing", Item::list(each.missing(ruleset))),
            ("condition", part(&each.condition.root, ruleset)),
            ("rows", Item::list(each.rows.iter().map(row))),
            ("amounts", Item::list(amounts(each, ruleset))),
        ])
    });
    let fires = !held.wrong_segment && held.asked.iter().any(|each| each.verdict() == Verdict::True);
    Item::fields([
        ("rule", rule.id.as_ref().into()),
        ("number", rule.number.into()),
        ("hash", rule.hash.as_ref().into()),
        ("fires", fires.into()),
        ("wrong_segment", held.wrong_segment.into()),
        ("asked", Item::list(asked)),
    ])
}

fn row(row: &CountedRow) -> Item {
    let texts = [("row", &row.place), ("cells", &row.cells), ("gives", &row.gives)];
    Item::fields(texts.map(|(name, text)| (name, text.as_str().into())))
}

fn amounts(asked: &Asking, ruleset: &Ruleset) -> Vec<Item> {
    let amount = |(word, trace): (&&str, &Trace)| {
        Item::fields([("action", (*word).into()), ("amount", part(&trace.root, ruleset))])
    };
    asked.words.iter().zip(&asked.amounts).map(amount).collect()
}

fn part(node: &TraceNode, ruleset: &Ruleset) -> Item {
    let known: Item = match &node.datum {
        Datum::Bool(value) => (*value).into(),
        Datum::Int(value) | Datum::Money(value) => (*value).into(),
        Datum::Text(text) => text.as_str().into(),
        Datum::Ratio { .. } => node.datum.to_string().into(),
        Datum::Unknown(_) | Datum::Error(_) => Item::Null,
    };
    Item::fields([
        ("text", node.text.as_str().into()),
        ("value", known),
        ("verdict", node.verdict.map(word).into()),
        ("code", node.value.code().into()),
        ("missing", missing_name(node.value, ruleset).into()),
        ("parts", Item::list(node.children.iter().map(|each| part(each, ruleset)))),
    ])
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::True => "true",
        Verdict::False => "false",
        Verdict::Unknown => "unknown",
        Verdict::Error => "error",
    }
}
