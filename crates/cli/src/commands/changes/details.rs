//! Changes told decision by decision.

use headroom_wire::proto::Notice;

use super::entry::{Entry, Limit, money};

/// A paragraph per decision: its time, account and trigger, then what it changed.
pub fn details(entries: &[Entry]) -> String {
    let mut out = String::new();
    for decision in entries.chunk_by(|a, b| a.account == b.account && a.time == b.time && a.trigger == b.trigger) {
        let Some(first) = decision.first() else { continue };
        out.push_str(&format!("{}  {}  {}\n", first.time, first.account, first.trigger()));
        decision.iter().for_each(|entry| change(entry, &mut out));
        out.push('\n');
    }
    if out.is_empty() { "no changes".to_owned() } else { out }
}

fn change(entry: &Entry, out: &mut String) {
    out.push_str(&format!("  * {}\n", entry.what));
    let mut part = |name: &str, text: String| out.push_str(&format!("      {name:<8}{text}\n"));
    part("limit", limit(entry));
    if entry.before.base != entry.after.base {
        part("base", format!("{} → {}", money(entry.before.base), money(entry.after.base)));
    }
    part("reason", entry.reasons.join(", "));
    if !entry.rule.is_empty() {
        part("rule", rule(entry));
    }
    if let Some(notice) = &entry.notice {
        part("notice", told(notice));
        part("", notice.text_zh.clone());
    }
}

fn limit(entry: &Entry) -> String {
    let (before, after) = (entry.before, entry.after);
    let of = |limit: Limit| format!("{} %", limit.percent());
    let amounts = format!("{} → {} {}", money(before.effective), money(after.effective), entry.currency);
    format!("{amounts}   {} → {} of granted {}", of(before), of(after), money(after.granted))
}

fn rule(entry: &Entry) -> String {
    match &entry.titles {
        Some((english, chinese)) => format!("{} · {english} · {chinese}", entry.rule),
        None => entry.rule.clone(),
    }
}

fn told(notice: &Notice) -> String {
    let can_do = match notice.can_do.is_empty() {
        true => String::new(),
        false => format!(" (can: {})", notice.can_do.join(", ")),
    };
    format!("{}{can_do}", notice.text_en)
}
