//! Rules that almost conflict: one step away from a defect, and nothing may be reported.

mod common;

use common::ruleset;
use headroom_conflicts::{Finding, Report, analyse};

const NEAR_MISSES: &[&str] = &[
    // not contradictory: conditions apart, segments apart, events apart, purposes in order, nothing opposed
    "up | growth | increase | statement_closed | util.avg_3m < 80 && util.avg_3m >= 20 | increase: {percent: 10}
     down | growth | decrease | statement_closed | util.avg_3m >= 80 | decrease: {percent: 10}",
    "up | growth | increase | statement_closed | repay.on_time_streak >= 3 | increase: {percent: 10} | segments: [consumer]
     down | growth | decrease | statement_closed | util.avg_3m >= 80 | decrease: {percent: 10} | segments: [merchant_key]",
    "up | growth | increase | statement_closed | repay.on_time_streak >= 3 && delinquency.dpd == 0 | increase: {percent: 10}
     down | delinquency | decrease | statement_closed | repay.late_12m >= 2 | decrease: {percent: 10}",
    "up | growth | increase | statement_closed | repay.on_time_streak >= 3 | increase: {percent: 10}
     down | growth | decrease | statement_closed | delinquency.dpd >= 1 | decrease: {percent: 10}",
    "up | growth | increase | statement_closed | repay.early_streak >= 3 | increase: {percent: 10}
     down | growth | decrease | statement_closed | repay.on_time_streak <= 2 | decrease: {percent: 10}",
    "up | growth | increase | statement_closed | pct(balance.used, limit.base) < 50 | increase: {percent: 10}
     down | growth | decrease | statement_closed | balance.used >= limit.base | decrease: {percent: 10}",
    "up | growth | increase | statement_closed | has(model.score) && util.avg_3m >= 20 | increase: {percent: 10}
     down | growth | decrease | statement_closed | !has(model.score) | decrease: {percent: 10}",
    "stop | fraud | freeze | order_placed | orders.large_24h >= 3 | freeze: {scope: spend} | cause: volatility
     lift | recovery | restore | order_placed | block.active && orders.large_24h == 0 | unfreeze: {} | cause: volatility",
    "stop | fraud | freeze | order_placed | orders.large_24h >= 3 | freeze: {scope: spend} | cause: volatility
     lift | recovery | restore | order_placed | block.active && delinquency.dpd == 0 | unfreeze: {} | cause: verification",
    "up | growth | increase | monthly | util.avg_3m >= 20 && lending.lenders_30d <= 3 | increase: {percent: 5}
     later | lending | decrease | monthly | lending.lenders_30d >= 4 | decrease: {percent: 10, after: 15d}",
    "end | promotion | decrease | payment_posted | boost.stepped_down && balance.used <= limit.base | end_boost: {}
     again | promotion | boost | payment_posted | boost.stepped_down && balance.used > limit.base | regrant_boost: {}",
    // not shadowed: a value, a trigger, a segment, a stronger effect of its own, an unknown that only one of them minds
    "large | growth | increase | statement_closed | repay.on_time_streak >= 6 | increase: {percent: 15}
     small | growth | increase | statement_closed | repay.on_time_streak >= 5 | increase: {percent: 5}",
    "large | growth | increase | statement_closed | repay.on_time_streak >= 3 | increase: {percent: 15}
     small | growth | increase | statement_closed, monthly | repay.on_time_streak >= 6 | increase: {percent: 5}",
    "large | growth | increase | statement_closed | repay.on_time_streak >= 3 | increase: {percent: 15} | segments: [consumer, consumer_prime]
     small | growth | increase | statement_closed | repay.on_time_streak >= 6 | increase: {percent: 5}",
    "large | growth | increase | statement_closed | repay.on_time_streak >= 3 | increase: {percent: 5}
     small | growth | increase | statement_closed | repay.on_time_streak >= 6 | increase: {percent: 10}",
    "large | growth | increase | statement_closed | repay.on_time_streak >= 3 && model.score >= 0 | increase: {percent: 15}
     small | growth | increase | statement_closed | repay.on_time_streak >= 6 | increase: {percent: 5}",
    "large | growth | increase | statement_closed | repay.on_time_streak >= 3 | increase: {percent: 15} | once: account
     small | growth | increase | statement_closed | repay.on_time_streak >= 6 | increase: {percent: 5}",
    "hard | fraud | freeze | order_placed | orders.large_24h >= 2 | freeze: {scope: all} | cause: volatility
     soft | fraud | freeze | order_placed | orders.large_24h >= 5 | freeze: {scope: spend} | cause: verification",
    "hold | regulatory | hold | statement_closed | delinquency.dpd == 0 | hold: {until: now + 30d, of: [boost]}
     up | growth | increase | statement_closed | repay.on_time_streak >= 6 | increase: {percent: 5}",
    "even | growth | increase | statement_closed | repay.on_time_streak < 6 | increase: {percent: 15}
     odd | growth | increase | statement_closed | repay.on_time_streak >= 6 && util.avg_3m < 60 | increase: {percent: 10}
     small | growth | increase | statement_closed | util.avg_3m >= 40 | increase: {percent: 5}",
    "by | growth | increase | statement_closed | util.avg_3m >= 20 | increase: {by: p.step} | params: {step: {type: money, CNY: 1_000.00}}
     share | growth | increase | statement_closed | util.avg_3m >= 40 | increase: {percent: 10}",
    // not redundant: another effect, another block, another length, a further action, a value less
    "old | growth | increase | statement_closed | repay.on_time_streak >= 6 | increase: {percent: 10}
     young | growth | increase | statement_closed | repay.on_time_streak >= 5 | increase: {percent: 11}",
    "one | recovery | restore | daily | block.active && block.quiet_days >= 7 | unfreeze: {} | cause: volatility
     two | recovery | restore | daily | block.active && block.quiet_days >= 9 | unfreeze: {} | cause: delinquency",
    "narrow | lending | hold | fact lending.inquiries_7d | lending.inquiries_7d >= 8 | hold: {until: now + 60d}
     wide | lending | hold | fact lending.inquiries_7d | lending.inquiries_7d >= 5 | hold: {until: now + 30d}",
    "one | fraud | review | order_placed | order.amount >= p.large | review: {kind: order} | params: {large: {type: money, CNY: 1_000.00}}
     two | fraud | review | order_placed | order.amount >= p.large | review: {kind: size} | params: {large: {type: money, CNY: 2_000.00}}",
    "one | fraud | review | order_placed | order.amount >= p.large | review: {kind: order} | params: {large: {type: money, CNY: 1_000.00}}
     two | fraud | review | order_placed | order.amount >= p.large | review: {kind: order} | params: {large: {type: money, GBP: 2_000.00}}",
    "wide | fraud | freeze | order_placed | orders.large_24h >= 3 | freeze: {scope: spend} | cause: volatility
     narrow | fraud | freeze | order_placed | orders.large_24h >= 5 | freeze: {scope: spend}, review: {kind: order} | cause: volatility",
    // not dead: at the very edge of a range, known on one trigger, allowed in the second pass, good enough for the guards
    "edge | delinquency | freeze | dpd_changed | delinquency.dpd >= 9999 | freeze: {scope: spend} | cause: delinquency",
    "once | fraud | review | order_placed, statement_closed | order.amount > p.zero | review: {kind: order}",
    "second | recovery | restore | account_frozen | block.active && delinquency.dpd == 0 && promotion.enrolled && block.quiet_days >= 1 | unfreeze: {} | cause: volatility
     other | growth | review | monthly | block.any | review: {kind: block}",
    "fresh | growth | increase | monthly | account.idle_days == 179 && limit.days_since_increase == 30 | increase: {percent: 5}",
    "full | utilisation | review | monthly | pct(balance.used, limit.base) >= 100 && balance.used == limit.base | review: {kind: use}",
    "same | fraud | review | order_placed | orders.amount_1h >= orders.amount_24h && orders.amount_1h > p.zero | review: {kind: order}",
    "bucket | delinquency | hold | dpd_changed | delinquency.bucket == \"M1\" && delinquency.dpd == 30 | hold: {until: cured}",
    // no gap: rungs that touch, overlap, belong to other families, or are bridged by a third
    "late | delinquency | freeze | dpd_changed | delinquency.dpd >= 4 && delinquency.dpd <= 30 | freeze: {scope: watch} | cause: delinquency
     later | delinquency | freeze | dpd_changed | delinquency.dpd >= 31 | freeze: {scope: spend} | cause: delinquency",
    "late | delinquency | freeze | dpd_changed | delinquency.dpd >= 4 && delinquency.dpd <= 30 | freeze: {scope: watch} | cause: delinquency
     worst | delinquency | freeze | dpd_changed | delinquency.dpd >= 61 | freeze: {scope: all} | cause: delinquency
     worse | delinquency | freeze | dpd_changed | delinquency.dpd > 30 && delinquency.dpd < 61 | freeze: {scope: spend} | cause: delinquency",
    "late | delinquency | freeze | dpd_changed | delinquency.dpd >= 4 && delinquency.dpd <= 30 | freeze: {scope: watch} | cause: delinquency
     other | lending | hold | dpd_changed | delinquency.dpd >= 61 | hold: {until: cured}",
    "below | promotion | decrease | boost_expired | balance.used <= limit.base | end_boost: {}
     above | promotion | decrease | boost_expired | balance.used > limit.base | step_boost: {percent: 25, every: 7d, steps: 4}",
    "part | utilisation | increase | statement_closed | pct(balance.used, limit.base) >= 20 && pct(balance.used, limit.base) < 50 | increase: {percent: 5}
     most | utilisation | increase | statement_closed | pct(balance.used, limit.base) >= 50 | increase: {percent: 10}",
    "up | growth | increase | monthly | model.score >= 700 | increase: {percent: 10}
     down | growth | decrease | monthly | model.score <= 400 | decrease: {percent: 10}",
    // no double boost: one is only for accounts without a boost, another occasion, another segment, one event
    "near | promotion | boost | promotion_near | repay.on_time_streak >= 6 && !boost.active | boost: {percent: 20, until: promotion.end + 3d}
     said | promotion | boost | promotion_announced | promotion.last_clean && !boost.active | boost: {percent: 25, until: promotion.end + 3d}",
    "near | promotion | boost | promotion_near | repay.on_time_streak >= 6 | boost: {percent: 20, until: promotion.end + 3d}
     feast | season | boost | holiday_near | repay.on_time_streak >= 6 | boost: {percent: 25, until: holiday.end + 3d}",
    "near | promotion | boost | promotion_near | repay.on_time_streak >= 6 | boost: {percent: 20, until: promotion.end + 3d} | segments: [consumer]
     said | promotion | boost | promotion_announced | promotion.last_clean | boost: {percent: 25, until: promotion.end + 3d} | segments: [merchant_key]",
    "near | promotion | boost | promotion_near | repay.on_time_streak >= 6 | boost: {percent: 20, until: promotion.end + 3d}
     too | promotion | boost | promotion_near | promotion.last_clean | boost: {percent: 25, until: promotion.end + 3d}",
    "more | promotion | boost | order_declined | promotion.active && !boost.active | boost: {percent: 30, until: promotion.end + 3d}
     near | promotion | boost | promotion_near | repay.on_time_streak >= 6 | boost: {percent: 20, from: promotion.start, until: promotion.end + 3d}",
    "last | promotion | boost | promotion_ended | promotion.last_clean && !boost.active | boost: {percent: 30, until: promotion.end + 3d}
     said | promotion | boost | promotion_announced | promotion.last_clean | boost: {percent: 20, until: promotion.end + 3d}",
    // no oscillation: the undoing waits, waives, is a person's, looks at what the change has moved, or is guarded
    "stop | fraud | freeze | order_placed | orders.large_24h >= 3 | freeze: {scope: spend} | cause: volatility
     lift | recovery | restore | daily | block.active && block.quiet_days >= 7 | unfreeze: {} | cause: volatility",
    "stop | fraud | freeze | order_placed | orders.large_24h >= 3 | freeze: {scope: spend} | cause: volatility
     ease | promotion | restore | order_placed, account_frozen | block.active && promotion.active && promotion.enrolled | restore: {percent: 80, of: granted_before_block, waive_until: promotion.end + 24h} | cause: volatility",
    "stop | fraud | freeze | fact fraud.list_hit | fraud.list_hit | freeze: {scope: all} | cause: fraud
     clear | recovery | restore | review_resolved | review.outcome == \"cleared\" | unfreeze: {} | cause: review",
    "stop | fraud | freeze | order_placed | orders.large_24h >= 3 | freeze: {scope: spend} | cause: volatility
     lift | recovery | restore | daily | block.active && orders.large_24h <= 2 | unfreeze: {} | cause: volatility",
    "cut | utilisation | decrease | monthly | util.avg_3m <= 20 | decrease: {percent: 20}
     grow | growth | increase | statement_closed | pct(balance.used, limit.base) >= 50 && limit.days_since_decrease <= 30 OR util.avg_3m >= 95 | increase: {percent: 10}",
    "grow | growth | increase | statement_closed | util.avg_3m >= 20 | increase: {percent: 10}
     trim | utilisation | decrease | monthly | util.avg_3m <= 10 | decrease: {percent: 10}",
    "take | repayment | decrease | payment_returned | repay.returned_30d >= 1 | decrease: {percent: 10} | cause: delinquency
     give | recovery | restore | statement_closed | undo.active && repay.returned_30d == 0 | undo: {percent: 50} | cause: delinquency",
    "lend | promotion | boost | order_declined | orders.declined_days_35d >= 2 | boost: {percent: 20, until: promotion.end + 3d}
     over | promotion | decrease | boost_expired | boost.expired && !boost.active | end_boost: {}",
];

#[test]
fn nothing_is_reported_one_step_from_a_defect() {
    let mut wrong = Vec::new();
    for rules in NEAR_MISSES {
        let report = report(rules);
        if !report.findings.is_empty() {
            let texts: Vec<&str> = report.findings.iter().map(|each| each.text.as_str()).collect();
            wrong.push(format!("{:?} {texts:?}\n{rules}", found(&report)));
        }
    }
    assert!(NEAR_MISSES.len() >= 40);
    assert!(wrong.is_empty(), "{} reported:\n{}", wrong.len(), wrong.join("\n\n"));
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
