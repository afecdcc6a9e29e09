//! The report for machines.

use headroom_conflicts::{Fact, Finding, Overlap, Witness};
use headroom_node::view::Item;
use headroom_policy::Type;

use super::Shown;

/// The whole report.
pub fn item(shown: &Shown<'_>) -> Item {
    let (report, effort) = (shown.report, shown.report.effort);
    Item::fields([
        ("ruleset", shown.ruleset.into()),
        ("rules", effort.rules.into()),
        ("pairs", effort.pairs.into()),
        ("pairs_apart", effort.apart.into()),
        ("questions", effort.questions.into()),
        ("witnesses_confirmed", effort.confirmed.into()),
        ("elapsed_ms", shown.elapsed_ms.into()),
        ("unexplained", report.unexplained().count().into()),
        ("findings", Item::list(report.findings.iter().map(finding))),
        ("settled", Item::list(report.overlaps.iter().map(overlap))),
        ("idle_notes", Item::list(report.idle_notes.iter().map(String::as_str))),
    ])
}

fn texts<'a>(of: impl IntoIterator<Item = &'a String>) -> Item {
    Item::list(of.into_iter().map(String::as_str))
}

fn finding(finding: &Finding) -> Item {
    let note = finding.note.as_ref();
    Item::fields([
        ("kind", finding.kind.word().into()),
        ("rules", texts(finding.rules.iter().map(|each| &each.id))),
        ("hashes", texts(finding.rules.iter().map(|each| &each.hash))),
        ("on", texts(&finding.on)),
        ("segments", Item::list(finding.segments.iter().copied())),
        ("text", finding.text.as_str().into()),
        ("witness", witness(finding.witness.as_ref())),
        ("note", note.map(|each| each.note.as_str()).into()),
        ("note_by", note.map(|each| each.by.as_str()).into()),
        ("note_voided", finding.voided.into()),
    ])
}

fn overlap(overlap: &Overlap) -> Item {
    Item::fields([
        ("rules", texts(&overlap.rules)),
        ("on", texts(&overlap.on)),
        ("segments", Item::list(overlap.segments.iter().copied())),
        ("how", overlap.how.into()),
        ("witness", witness(overlap.witness.as_ref())),
    ])
}

/// Facts stand there as `rules explain --account` reads them: with the currency, without which no money parameter has a value.
fn witness(witness: Option<&Witness>) -> Item {
    let Some(witness) = witness else { return Item::Null };
    let rules = witness.rules.iter().map(|each| {
        let currency = witness.in_currency().map(|currency| ("currency".to_owned(), currency.to_string().into()));
        let facts = each.facts.iter().map(|fact| (fact.name.clone(), value(fact))).chain(currency).collect();
        Item::fields([
            ("rule", each.rule.as_str().into()),
            ("cause", each.cause.map(|cause| cause.word()).into()),
            ("moment", each.moment.into()),
            ("holds", each.holds.into()),
            ("facts", Item::Fields(facts)),
            ("wants", texts(&each.wants)),
        ])
    });
    Item::fields([("currency", witness.currency.to_string().into()), ("rules", Item::list(rules))])
}

fn value(fact: &Fact) -> Item {
    match (&fact.ty, fact.value) {
        (_, None) => Item::Null,
        (Type::Bool, Some(value)) => (value != 0).into(),
        (Type::Enum(words), Some(value)) => {
            let word = usize::try_from(value).ok().and_then(|at| words.get(at));
            word.map(String::as_str).into()
        }
        (_, Some(value)) => value.into(),
    }
}
