//! The report for people at a terminal.

use std::fmt::Write;

use headroom_conflicts::{Finding, Overlap, Witness};

use crate::output::grouped;

use super::{Shown, segments, template};

/// The whole report. Writing to a string does not fail.
pub fn prose(shown: &Shown<'_>) -> String {
    let (report, effort) = (shown.report, shown.report.effort);
    let open = report.unexplained().count();
    let mut out = format!(
        "{} rules, {} pairs that meet ({} apart by interval boxes alone), {} questions to the solver, {} ms\n\
         {} findings, {open} of them unexplained; {} overlaps are settled by arbitration; {} witnesses, all confirmed by the evaluator\n",
        effort.rules,
        effort.pairs,
        effort.apart,
        effort.questions,
        grouped(i128::from(shown.elapsed_ms)),
        report.findings.len(),
        report.overlaps.len(),
        effort.confirmed,
    );
    for finding in &report.findings {
        out.push('\n');
        out.push_str(&told(finding));
    }
    if !report.overlaps.is_empty() {
        out.push_str("\nsettled by arbitration, nothing to do:\n");
        report.overlaps.iter().for_each(|each| out.push_str(&settled(each)));
    }
    for idle in &report.idle_notes {
        let _ = writeln!(out, "\na note explains nothing any more: {idle}");
    }
    out
}

fn told(finding: &Finding) -> String {
    let ids: Vec<&str> = finding.rules.iter().map(|each| each.id.as_str()).collect();
    let mut out = format!("{}: {}\n  {}\n", finding.kind.word(), ids.join(", "), finding.text);
    if !finding.on.is_empty() {
        let _ = writeln!(out, "  on {}; {}", finding.on.join(", "), segments(&finding.segments));
    }
    if let Some(witness) = &finding.witness {
        out.push_str(&account(witness));
    }
    match &finding.note {
        Some(note) => {
            let _ = writeln!(out, "  accepted by {} since {}: {}", note.by, note.since, note.note);
        }
        None => {
            if finding.voided {
                out.push_str("  a note stood here; a rule was edited since, so it counts no more\n");
            }
            out.push_str("  unexplained; once a person accepts it, in conflicts.yaml:\n");
            template(finding).lines().for_each(|line| {
                let _ = writeln!(out, "    {line}");
            });
        }
    }
    out
}

/// The account, rule by rule.
fn account(witness: &Witness) -> String {
    let mut out = format!("  shows on an account in {}:\n", witness.currency_in_words());
    for each in &witness.rules {
        let facts: Vec<String> = each.facts.iter().map(ToString::to_string).collect();
        let cause = each.cause.map_or_else(String::new, |cause| format!(" ({})", cause.word()));
        let verdict = if each.holds { format!("true: {}", each.wants.join(", ")) } else { "not true".to_owned() };
        let _ = writeln!(out, "    {}{cause}, {}: {verdict}\n      {}", each.rule, each.moment, facts.join(", "));
    }
    out
}

fn settled(overlap: &Overlap) -> String {
    let [one, other] = &overlap.rules;
    format!("  {one}, {other} on {}: {}\n", overlap.on.join(", "), overlap.how)
}
