//! What the conflict check says about rules that meet, for `docs/RULES.md`: rule by rule, both sides of each pair.

use std::collections::BTreeMap;

use headroom_conflicts::{Finding, Overlap, Report};

/// Lines of Markdown by the id of a rule: first what somebody had to look at, then what arbitration settles. Witnesses are
/// left out: which of many accounts the solver shows first is up to its version, and the page must not be.
pub fn beside(report: &Report) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut add = |rule: &str, line: String| {
        let lines = found.entry(rule.to_owned()).or_default();
        // A rule with several causes is asked once for each.
        if !lines.contains(&line) {
            lines.push(line);
        }
    };
    for finding in &report.findings {
        finding.rules.iter().for_each(|rule| add(&rule.id, told(finding, &rule.id)));
    }
    for overlap in &report.overlaps {
        overlap.rules.iter().for_each(|rule| add(rule, settled(overlap, rule)));
    }
    found
}

fn told(finding: &Finding, rule: &str) -> String {
    let others = others(finding.rules.iter().map(|each| each.id.as_str()), rule);
    let verdict = match &finding.note {
        Some(note) => format!("Accepted by {} since {}: {}", note.by, note.since, note.note),
        None => "Nobody has accepted it yet.".to_owned(),
    };
    format!("**{}**{others}{}: {}. {verdict}", finding.kind.word(), on(&finding.on), finding.text)
}

fn settled(overlap: &Overlap, rule: &str) -> String {
    let others = others(overlap.rules.iter().map(String::as_str), rule);
    format!("settled{others}{}: {}", on(&overlap.on), overlap.how)
}

fn others<'a>(rules: impl Iterator<Item = &'a str>, rule: &str) -> String {
    let links: Vec<String> = rules.filter(|each| *each != rule).map(|each| format!("[`{each}`](#{each})")).collect();
    if links.is_empty() { String::new() } else { format!(" with {}", links.join(", ")) }
}

fn on(triggers: &[String]) -> String {
    let words: Vec<String> = triggers.iter().map(|each| format!("`{each}`")).collect();
    if words.is_empty() { String::new() } else { format!(", on {}", words.join(", ")) }
}

#[cfg(test)]
mod tests {
    use headroom_conflicts::{Kind, Named, Note};

    use super::*;

    fn finding(rules: &[&str], note: Option<&str>) -> Finding {
        let named = |id: &&str| Named { id: (*id).to_owned(), hash: "0".repeat(64) };
        let note = note.map(|note| Note {
            kind: Kind::Contradictory,
            rules: Vec::new(),
            hashes: Vec::new(),
            note: note.to_owned(),
            by: "limits".to_owned(),
            since: "2026-11-22".to_owned(),
        });
        Finding {
            kind: Kind::Contradictory,
            rules: rules.iter().map(named).collect(),
            on: vec!["monthly".to_owned()],
            segments: Vec::new(),
            text: "they differ".to_owned(),
            witness: None,
            note,
            voided: false,
        }
    }

    #[test]
    fn both_sides_of_a_pair_hear_of_it() {
        let report = Report { findings: vec![finding(&["a", "b"], Some("Meant."))], ..Report::default() };
        let line = |other: &str| {
            format!(
                "**contradictory** with [`{other}`](#{other}), on `monthly`: they differ. Accepted by limits since 2026-11-22: \
                 Meant."
            )
        };
        assert_eq!(
            beside(&report),
            BTreeMap::from([("a".to_owned(), vec![line("b")]), ("b".to_owned(), vec![line("a")])])
        );
    }

    #[test]
    fn what_nobody_accepted_says_so() {
        let report = Report { findings: vec![finding(&["a"], None)], ..Report::default() };
        assert_eq!(beside(&report)["a"], ["**contradictory**, on `monthly`: they differ. Nobody has accepted it yet."]);
    }

    #[test]
    fn an_overlap_is_told_once_though_asked_for_several_causes() {
        let overlap = |rules: [&str; 2]| Overlap {
            rules: rules.map(str::to_owned),
            on: vec!["order_placed".to_owned()],
            segments: Vec::new(),
            how: "the stricter freeze counts",
            witness: None,
        };
        let report = Report { overlaps: vec![overlap(["a", "b"]), overlap(["b", "a"])], ..Report::default() };
        assert_eq!(beside(&report)["a"], ["settled with [`b`](#b), on `order_placed`: the stricter freeze counts"]);
    }
}
