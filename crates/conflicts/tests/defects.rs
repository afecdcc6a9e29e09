//! Seeded defects of every class: rule text in, class of finding out.

mod common;

use common::ruleset;
use headroom_conflicts::{Finding, Kind, Report, analyse};

/// What is wrong, and the rules.
const DEFECTS: &[(&str, &str)] = &[
    // contradictory
    ("contradictory up down", "up | growth | increase | statement_closed | repay.on_time_streak >= 3 | increase: {percent: 10}
      down | growth | decrease | statement_closed | util.avg_3m >= 80 | decrease: {percent: 10}"),
    ("contradictory up down", "up | repayment | increase | monthly | repay.on_time_streak >= 12 | increase: {percent: 5}
      down | repayment | decrease | monthly | repay.min_only_streak >= 6 | decrease: {percent: 5}"),
    ("contradictory lend down", "lend | promotion | boost | order_declined | orders.declined_days_35d >= 2 | boost: {percent: 10, until: promotion.end + 3d}
      down | utilisation | decrease | order_declined | util.avg_3m >= 90 | decrease: {percent: 10}"),
    ("contradictory up later", "up | growth | increase | monthly | util.avg_3m >= 20 | increase: {percent: 5}
      later | lending | decrease | monthly | lending.lenders_30d >= 4 | decrease: {percent: 10, after: 15d}"),
    ("contradictory stop lift", "stop | fraud | freeze | order_placed | orders.large_24h >= 3 | freeze: {scope: spend} | cause: volatility
      lift | recovery | restore | order_placed | block.active && delinquency.dpd == 0 | unfreeze: {} | cause: volatility"),
    ("contradictory stop ease", "stop | delinquency | freeze | dpd_changed | delinquency.dpd >= 10 | freeze: {scope: spend} | cause: delinquency
      ease | recovery | restore | dpd_changed | block.active && delinquency.dpd <= 10 | restore: {percent: 50, of: granted_before_block} | cause: delinquency"),
    ("contradictory take give", "take | delinquency | decrease | statement_closed | repay.late_12m >= 1 | decrease: {percent: 10} | cause: delinquency
      give | recovery | restore | statement_closed | undo.active && repay.late_12m <= 1 | undo: {percent: 50} | cause: delinquency"),
    ("contradictory end again", "end | promotion | decrease | payment_posted | boost.stepped_down && balance.used <= limit.base | end_boost: {}
      again | promotion | boost | payment_posted | boost.stepped_down && payment.days_before_due >= 3 | regrant_boost: {}"),
    // shadowed
    ("shadowed large small", "large | growth | increase | statement_closed | repay.on_time_streak >= 3 | increase: {percent: 15}
      small | growth | increase | statement_closed | repay.on_time_streak >= 6 | increase: {percent: 5}"),
    ("shadowed never spend", "never | regulatory | hold | statement_closed | delinquency.dpd == 0 | hold: {until: now + 30d}
      spend | growth | increase | statement_closed | repay.on_time_streak >= 6 | increase: {percent: 5}"),
    ("shadowed hard soft", "hard | fraud | freeze | order_placed | orders.large_24h >= 2 | freeze: {scope: all} | cause: volatility
      soft | fraud | freeze | order_placed | orders.large_24h >= 5 | freeze: {scope: spend} | cause: volatility"),
    ("shadowed deep flat", "deep | lending | decrease | fact lending.lenders_30d | lending.lenders_30d >= 4 | decrease: {percent: 30}
      flat | lending | decrease | fact lending.lenders_30d | lending.lenders_30d >= 6 | decrease: {percent: 10}"),
    ("shadowed low high", "low | regulatory | cap | account_opened | limit.base > p.zero | cap: {name: customer, to: limit.base / 2}
      high | regulatory | cap | account_opened | limit.base > p.zero && account.tier == \"gold\" | cap: {name: customer, to: limit.base}"),
    ("shadowed big little", "big | promotion | boost | promotion_near | promotion.enrolled | boost: {percent: 30, until: promotion.end + 3d}
      little | promotion | boost | promotion_near | promotion.enrolled && repay.on_time_streak >= 6 | boost: {percent: 10, until: promotion.end + 3d}"),
    ("shadowed even odd small", "even | growth | increase | statement_closed | repay.on_time_streak < 6 | increase: {percent: 15}
      odd | growth | increase | statement_closed | repay.on_time_streak >= 6 | increase: {percent: 10}
      small | growth | increase | statement_closed | util.avg_3m >= 40 | increase: {percent: 5}"),
    // redundant
    ("redundant old young", "old | growth | increase | statement_closed | repay.on_time_streak >= 6 | increase: {percent: 10}
      young | growth | increase | statement_closed | repay.on_time_streak > 5 | increase: {percent: 10}"),
    ("redundant wide narrow", "wide | lending | hold | fact lending.inquiries_7d | lending.inquiries_7d >= 5 | hold: {until: now + 30d}
      narrow | lending | hold | fact lending.inquiries_7d | lending.inquiries_7d >= 8 | hold: {until: now + 30d}"),
    ("redundant narrow wide", "narrow | fraud | freeze | order_placed | orders.large_24h >= 5 | freeze: {scope: spend} | cause: volatility
      wide | fraud | freeze | order_placed | orders.large_24h >= 3 | freeze: {scope: spend} | cause: volatility"),
    ("redundant one two", "one | fraud | review | order_placed | order.amount >= p.large | review: {kind: order} | params: {large: {type: money, CNY: 1_000.00}}
      two | fraud | review | order_placed | order.amount >= p.large | review: {kind: order} | params: {large: {type: money, CNY: 2_000.00}}"),
    ("redundant one two", "one | utilisation | decrease | monthly | account.idle_days >= 365 | decrease: {percent: 50}
      two | utilisation | decrease | monthly | account.idle_days >= 365 && balance.used == p.zero | decrease: {percent: 50}"),
    ("redundant one two", "one | recovery | restore | daily | block.active && block.quiet_days >= 7 | unfreeze: {} | cause: volatility
      two | recovery | restore | daily | block.active && block.quiet_days >= 9 | unfreeze: {} | cause: volatility"),
    // dead
    ("dead never", "never | growth | increase | statement_closed | util.avg_3m >= 40 && util.avg_3m < 40 | increase: {percent: 5}"),
    ("dead never", "never | delinquency | freeze | dpd_changed | delinquency.dpd > 20000 | freeze: {scope: spend} | cause: delinquency"),
    ("dead never", "never | growth | increase | statement_closed | order.amount > p.zero && util.avg_3m >= 20 | increase: {percent: 5}"),
    ("dead never", "never | growth | increase | statement_closed | delinquency.dpd >= 1 && util.avg_3m >= 20 | increase: {percent: 5}"),
    ("dead never", "never | growth | boost | account_frozen | promotion.active | boost: {percent: 5, until: promotion.end + 3d}"),
    ("dead never", "never | delinquency | hold | dpd_changed | delinquency.bucket == \"M1\" && delinquency.dpd > 30 | hold: {until: cured}"),
    ("dead never", "never | fraud | review | order_placed | orders.amount_1h > orders.amount_24h | review: {kind: order}"),
    ("dead never", "never | growth | increase | monthly | account.idle_days >= 200 | increase: {percent: 5}"),
    ("dead never", "never | growth | increase | monthly | util.avg_3m >= 20 | increase: {to: limit.base / 2}"),
    ("dead never", "never | utilisation | review | monthly | pct(balance.used, limit.base) < 10 && balance.used > limit.base | review: {kind: use}"),
    // gap
    ("gap late later", "late | delinquency | freeze | dpd_changed | delinquency.dpd >= 4 && delinquency.dpd <= 30 | freeze: {scope: watch} | cause: delinquency
      later | delinquency | freeze | dpd_changed | delinquency.dpd >= 61 | freeze: {scope: spend} | cause: delinquency"),
    ("gap few many", "few | lending | hold | fact lending.lenders_30d | lending.lenders_30d >= 2 && lending.lenders_30d <= 3 | hold: {until: now + 30d}
      many | lending | decrease | fact lending.lenders_30d | lending.lenders_30d >= 5 | decrease: {percent: 15}"),
    ("gap below above", "below | promotion | decrease | boost_expired | balance.used < limit.base | end_boost: {}
      above | promotion | decrease | boost_expired | balance.used > limit.base | step_boost: {percent: 25, every: 7d, steps: 4}"),
    ("gap part most", "part | utilisation | increase | statement_closed | pct(balance.used, limit.base) >= 20 && pct(balance.used, limit.base) < 50 | increase: {percent: 5}
      most | utilisation | increase | statement_closed | pct(balance.used, limit.base) >= 60 | increase: {percent: 10}"),
    ("gap poor fair", "poor | growth | decrease | monthly | model.score < 300 | decrease: {percent: 20}
      fair | growth | decrease | monthly | model.score > 300 && model.score <= 400 | decrease: {percent: 10}"),
    ("gap small large", "small | fraud | review | order_placed | order.amount < p.small | review: {kind: small} | params: {small: {type: money, CNY: 100.00}}
      large | fraud | review | order_placed | order.amount >= p.large | review: {kind: large} | params: {large: {type: money, CNY: 200.00}}"),
    // double boost
    ("double_boost near said", "near | promotion | boost | promotion_near | repay.on_time_streak >= 6 | boost: {percent: 20, until: promotion.end + 3d}
      said | promotion | boost | promotion_announced | promotion.last_clean | boost: {percent: 25, until: promotion.end + 3d}"),
    ("double_boost near short", "near | promotion | boost | promotion_near | repay.on_time_streak >= 6 | boost: {percent: 20, until: promotion.end + 3d}
      short | promotion | boost | order_declined | promotion.active && orders.declined_days_35d >= 2 | boost: {percent: 10, until: promotion.end + 3d}"),
    ("double_boost one two", "one | promotion | boost | order_declined | repay.on_time_streak >= 6 | boost: {percent: 20, until: promotion.end + 3d}
      two | promotion | boost | order_declined | orders.declined_days_35d >= 3 | boost: {percent: 10, until: promotion.end + 3d}"),
    ("double_boost one two", "one | season | boost | holiday_near | repay.on_time_streak >= 6 | boost: {percent: 15, until: holiday.end + 3d}
      two | season | boost | order_declined | orders.declined_days_35d >= 3 | boost: {percent: 10, until: holiday.end + 3d}"),
    ("double_boost one two", "one | promotion | boost | promotion_enrolled | promotion.enrolled | boost: {percent: 30, until: promotion.end + 7d} | segments: [merchant_key]
      two | promotion | boost | promotion_near | promotion.enrolled && repay.on_time_streak >= 6 | boost: {percent: 20, until: promotion.end + 3d}"),
    // oscillation
    ("oscillation stop lift", "stop | fraud | freeze | order_placed | orders.large_24h >= 3 | freeze: {scope: spend} | cause: volatility
      lift | recovery | restore | daily | block.active && delinquency.dpd == 0 | unfreeze: {} | cause: volatility"),
    ("oscillation stop lift", "stop | fraud | freeze | order_placed | orders.large_24h >= 3 | freeze: {scope: spend} | cause: volatility
      lift | recovery | restore | account_frozen | block.active && fraud.signals_7d == 0 | unfreeze: {} | cause: volatility"),
    ("oscillation stop ease", "stop | fraud | freeze | order_placed | orders.large_24h >= 3 | freeze: {scope: spend} | cause: volatility
      ease | recovery | restore | payment_posted | block.active && block.age_hours >= 12 | restore: {percent: 80, of: granted_before_block} | cause: volatility"),
    ("oscillation grow trim", "grow | growth | increase | statement_closed | util.avg_3m >= 20 | increase: {percent: 20}
      trim | utilisation | decrease | monthly | pct(balance.used, limit.base) < 30 && limit.days_since_increase <= 30 | decrease: {percent: 10}"),
    ("oscillation cut back", "cut | growth | decrease | monthly | pct(balance.used, limit.base) < 30 | decrease: {percent: 20} | cause: lending
      back | recovery | restore | limit_changed | undo.active && limit.days_since_decrease == 0 | undo: {percent: 100} | cause: lending"),
    ("oscillation take give", "take | repayment | decrease | payment_returned | repay.returned_30d >= 1 | decrease: {percent: 10} | cause: delinquency
      give | recovery | restore | statement_closed | undo.active && repay.on_time_streak >= 3 | undo: {percent: 50} | cause: delinquency"),
    ("oscillation cut lift", "cut | regulatory | cap | fact lending.other_lines | has(lending.other_lines) | cap: {name: other_lines, to: limit.base / 2}
      lift | recovery | restore | monthly | account.age_days >= 90 | uncap: {name: other_lines}"),
    // unknown: never "no conflict"
    ("unknown odd", "odd | growth | increase | statement_closed | util.avg_3m * repay.on_time_streak >= 300 | increase: {percent: 5}"),
    ("unknown odd", "odd | growth | increase | statement_closed | util.avg_3m / repay.on_time_streak >= 5 | increase: {percent: 5}
      down | growth | decrease | statement_closed | repay.late_12m >= 3 | decrease: {percent: 5}"),
];

#[test]
fn every_seeded_defect_is_found() {
    let mut missed = Vec::new();
    for (wanted, rules) in DEFECTS {
        let report = report(rules);
        let found = found(&report);
        if !found.iter().any(|each| each == wanted) {
            missed.push(format!("{wanted}: {found:?}\n{rules}"));
        }
    }
    assert!(DEFECTS.len() >= 40);
    assert!(missed.is_empty(), "{} missed:\n{}", missed.len(), missed.join("\n\n"));
}

/// What shows on an account is shown with one; the analysis has held each against the evaluator, or it would have failed.
#[test]
fn findings_about_accounts_carry_a_witness() {
    for (wanted, rules) in DEFECTS {
        for finding in report(rules).findings {
            let of_no_account = matches!(finding.kind, Kind::Dead | Kind::Unknown);
            assert_eq!(finding.witness.is_none(), of_no_account, "{wanted}: {}", finding.text);
        }
    }
}

/// What an analysis says of rules.
fn report(rules: &str) -> Report {
    analyse(&ruleset(rules), &mut |_| {}).expect("the evaluator agrees with the solver")
}

/// Findings as `kind rule rule`.
fn found(report: &Report) -> Vec<String> {
    let line = |each: &Finding| {
        let ids: Vec<&str> = each.rules.iter().map(|rule| rule.id.as_str()).collect();
        format!("{} {}", each.kind.word(), ids.join(" "))
    };
    report.findings.iter().map(line).collect()
}
