//! The report as one page for a browser; nothing is ever fetched.

use headroom_conflicts::{Finding, Kind, Overlap, Witness};

use crate::commands::report::html::escape;

use super::{Shown, segments, template};

const STYLE: &str = include_str!("style.css");

/// The whole page.
pub fn page(shown: &Shown<'_>) -> String {
    let name = escape(shown.ruleset);
    let findings: String = Kind::ALL.iter().map(|kind| of_kind(*kind, shown)).collect();
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <meta name=\"color-scheme\" content=\"light dark\"/>\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\"/>\n\
         <link rel=\"icon\" href=\"data:,\"/>\n<title>Conflicts of {name}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <h1>Conflicts of {name}</h1>\n{}{findings}{}{}</body>\n</html>\n",
        summary(shown),
        settled(shown),
        idle(shown),
    )
}

fn summary(shown: &Shown<'_>) -> String {
    let (report, effort) = (shown.report, shown.report.effort);
    format!(
        "<p class=\"lead\">{} rules, {} pairs that meet. {} findings, <strong>{} unexplained</strong>; {} overlaps are settled by \
         arbitration. {} witnesses, all confirmed by the evaluator that decides in production. {} questions to the solver, {} ms.</p>\n",
        effort.rules,
        effort.pairs,
        report.findings.len(),
        report.unexplained().count(),
        report.overlaps.len(),
        effort.confirmed,
        effort.questions,
        shown.elapsed_ms,
    )
}

fn of_kind(kind: Kind, shown: &Shown<'_>) -> String {
    let findings = shown.report.findings.iter().filter(|each| each.kind == kind);
    let cards: String = findings.map(card).collect();
    if cards.is_empty() {
        return String::new();
    }
    let (word, meaning) = (kind.word().replace('_', " "), escape(kind.meaning()));
    format!("<section>\n<h2>{word}</h2>\n<p class=\"lead\">{meaning}</p>\n{cards}</section>\n")
}

fn card(finding: &Finding) -> String {
    let ids: Vec<String> = finding.rules.iter().map(|each| format!("<code>{}</code>", escape(&each.id))).collect();
    let end = match &finding.note {
        Some(note) => format!(
            "<p class=\"note\">Accepted by {} since {}: {}</p>\n",
            escape(&note.by),
            escape(&note.since),
            escape(&note.note)
        ),
        None => format!(
            "<details><summary>Unexplained{}: what a person writes into conflicts.yaml to accept it</summary><pre>{}</pre></details>\n",
            if finding.voided { " (its note is void: a rule was edited)" } else { "" },
            escape(&template(finding))
        ),
    };
    let class = if finding.note.is_some() { "accepted" } else { "open" };
    format!(
        "<article class=\"{class}\">\n<h3>{}</h3>\n<p>{}</p>\n{}{}{end}</article>\n",
        ids.join(" · "),
        with_code(&finding.text),
        place(&finding.on, &finding.segments),
        finding.witness.as_ref().map_or_else(String::new, account),
    )
}

/// On which triggers, for whom; nothing where a finding is about no trigger.
fn place(on: &[String], of: &[&str]) -> String {
    if on.is_empty() {
        return String::new();
    }
    format!("<p class=\"where\">on {}; {}</p>\n", escape(&on.join(", ")), escape(&segments(of)))
}

/// A sentence whose words between backticks are code.
fn with_code(text: &str) -> String {
    let parts = text.split('`').map(escape).enumerate();
    parts.map(|(at, part)| if at % 2 == 1 { format!("<code>{part}</code>") } else { part }).collect()
}

/// The account: a row for each rule.
fn account(witness: &Witness) -> String {
    let rows: String = witness
        .rules
        .iter()
        .map(|each| {
            let facts: Vec<String> = each.facts.iter().map(|fact| escape(&fact.to_string())).collect();
            let wants = if each.holds { escape(&each.wants.join(", ")) } else { "not true".to_owned() };
            let cause = each.cause.map_or("", |cause| cause.word());
            format!(
                "<tr><td><code>{}</code> {cause}</td><td>{}</td><td>{}</td><td>{wants}</td></tr>\n",
                escape(&each.rule),
                each.moment,
                facts.join("<br/>"),
            )
        })
        .collect();
    format!(
        "<table>\n<caption>An account in {} on which it shows; money in minor units</caption>\n<thead><tr><th>Rule</th><th>When</th><th>Reads</th>\
         <th>Wants</th></tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n",
        witness.currency_in_words()
    )
}

fn settled(shown: &Shown<'_>) -> String {
    let row = |each: &Overlap| {
        let shown = each.witness.as_ref().map_or_else(String::new, |witness| {
            format!("<details><summary>on an account</summary>{}</details>", account(witness))
        });
        format!(
            "<tr><td><code>{}</code><br/><code>{}</code></td><td>{}<br/>{}</td><td>{}{shown}</td></tr>\n",
            escape(&each.rules[0]),
            escape(&each.rules[1]),
            escape(&each.on.join(", ")),
            escape(&segments(&each.segments)),
            escape(each.how),
        )
    };
    let rows: String = shown.report.overlaps.iter().map(row).collect();
    if rows.is_empty() {
        return String::new();
    }
    format!(
        "<section>\n<h2>Settled by arbitration</h2>\n<p class=\"lead\">Rules that meet, and how it is decided between them.</p>\n\
         <table>\n<thead><tr><th>Rules</th><th>On, for whom</th><th>How</th></tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n</section>\n"
    )
}

fn idle(shown: &Shown<'_>) -> String {
    let items: String = shown.report.idle_notes.iter().map(|each| format!("<li>{}</li>\n", escape(each))).collect();
    if items.is_empty() {
        return String::new();
    }
    format!("<section>\n<h2>Notes that explain nothing any more</h2>\n<ul>\n{items}</ul>\n</section>\n")
}

#[cfg(test)]
mod tests {
    use super::with_code;

    #[test]
    fn code_is_marked_and_escaped() {
        assert_eq!(with_code("`a<b` and `c`: & so"), "<code>a&lt;b</code> and <code>c</code>: &amp; so");
        assert_eq!(with_code("no code"), "no code");
    }
}
