//! The limit stack as a waterfall: from base to what an order may use, each step with its rule and its end.

use headroom_engine::{Account, Block, Boost, Hold, HoldUntil, Limits, Scope, Stack, Term, Timestamp};
use headroom_node::view::Names;

use crate::commands::changes::entry::money;
use crate::zone;

use super::draw::{Paint, Scale, cut};
use super::{Look, as_of, word};

/// Bars are useful between these widths.
const CELLS_MIN: usize = 12;
const CELLS_MAX: usize = 36;

/// What a row is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A term that may bound what follows.
    Term,
    /// A term that counts for nothing now.
    Idle,
    /// What is taken off.
    Less,
    /// What comes out.
    Result,
}

struct Row {
    kind: Kind,
    name: String,
    amount: Option<i64>,
    /// Where its bar begins and ends, if it has one.
    bar: Option<(i64, i64)>,
    /// It is the term that bound the next result.
    binds: bool,
    note: String,
}

/// The section.
pub fn limit(account: &Account, names: &Names, look: &Look, paint: Paint) -> String {
    let now = as_of(account, names);
    let steps = Steps { stack: &account.stack, limits: account.limits(now), now, names, look };
    draw(&steps.rows(), look, paint)
}

struct Steps<'a> {
    stack: &'a Stack,
    limits: Limits,
    now: Timestamp,
    names: &'a Names,
    look: &'a Look,
}

impl Steps<'_> {
    fn rows(&self) -> Vec<Row> {
        let (stack, limits) = (self.stack, &self.limits);
        let base = self.term("base".into(), stack.base, Term::Base == limits.granted_bound_by, String::new());
        let mut rows = vec![base];
        let winner = self.winner();
        rows.extend(stack.boosts.iter().enumerate().map(|(at, each)| self.boost(each, winner == Some(at))));
        rows.extend(stack.caps.iter().map(|each| {
            let binds = limits.granted_bound_by == Term::Cap(each.name);
            let row = self.term(format!("cap {}", each.name.word()), each.amount, binds, self.until(each.until));
            self.idle_unless(each.until.is_none_or(|until| self.now < until), row)
        }));
        rows.push(self.result("granted", limits.granted, limits.granted_bound_by));
        let bounding = |each: &&Block| each.scope >= Scope::Spend;
        rows.extend(stack.blocks.iter().filter(bounding).map(|each| self.block(each)));
        rows.push(self.result("effective", limits.effective, limits.effective_bound_by));
        rows.push(self.less("used", limits.used, limits.effective));
        rows.push(Row { binds: false, note: String::new(), ..self.result("available", limits.available, Term::Used) });
        rows.extend(stack.blocks.iter().filter(|each| !bounding(each)).map(|each| self.block(each)));
        if limits.uncleared > 0 {
            rows.push(self.less("uncleared", limits.uncleared, limits.spendable.saturating_add(limits.uncleared)));
        }
        rows.push(self.result("spendable", limits.spendable, limits.spendable_bound_by));
        if limits.spendable_cash != limits.spendable {
            let cash = self.result("spendable as cash", limits.spendable_cash, Term::Zero);
            rows.push(Row { note: String::new(), ..cash });
        }
        rows.extend(stack.holds.iter().map(|each| self.hold(each)));
        rows
    }

    fn term(&self, name: String, amount: i64, binds: bool, note: String) -> Row {
        Row { kind: Kind::Term, name, amount: Some(amount), bar: Some((0, amount)), binds, note }
    }

    fn idle_unless(&self, counts: bool, row: Row) -> Row {
        if counts { row } else { Row { kind: Kind::Idle, ..row } }
    }

    /// The position of the boost that counts: never their sum.
    fn winner(&self) -> Option<usize> {
        let active = self.stack.boosts.iter().enumerate().filter(|(_, each)| each.active(self.now));
        active.max_by_key(|(_, each)| (each.amount, each.rule)).map(|(at, _)| at)
    }

    fn boost(&self, boost: &Boost, counts: bool) -> Row {
        let top = self.stack.base.saturating_add(boost.amount);
        let mut note = format!("{}, {}", word(self.names.rule(boost.rule)), self.until(Some(boost.until)));
        if !counts {
            let why = if boost.active(self.now) { "only the largest counts" } else { "not active" };
            note = format!("{why}; {note}");
        } else if boost.promotion != 0 {
            note = format!("{note}, {}", word(self.names.promotion(boost.promotion)));
        }
        let binds = counts && self.limits.granted_bound_by == Term::Boost(boost.rule);
        let row = self.term("boost".into(), boost.amount, binds, note);
        self.idle_unless(counts, Row { bar: Some((self.stack.base, top)), ..row })
    }

    fn block(&self, block: &Block) -> Row {
        let limits = &self.limits;
        let bound_by = match block.scope {
            Scope::Watch => limits.spendable_bound_by == Term::Watch(block.cause),
            _ => limits.effective_bound_by == Term::Block(block.cause),
        };
        let by = match block.rule {
            0 if block.by.is_empty() => "by hand".to_owned(),
            0 => format!("by {}", block.by),
            rule => word(self.names.rule(rule)),
        };
        let since = zone::minute(block.since, &self.look.zone);
        let row = Row {
            kind: Kind::Term,
            name: format!("block {} ({})", block.cause.word(), block.scope.word()),
            amount: block.ceiling,
            bar: block.ceiling.map(|ceiling| (0, ceiling)),
            binds: bound_by,
            note: format!("{by}, since {since}, {}", self.until(block.until)),
        };
        self.idle_unless(block.lasts(self.now), row)
    }

    fn hold(&self, hold: &Hold) -> Row {
        let until = match hold.until {
            HoldUntil::Time(at) => self.until(Some(at)),
            HoldUntil::Cured { days_after: 0 } => "until cured".to_owned(),
            HoldUntil::Cured { days_after } => format!("until {days_after} days after the cure"),
        };
        let note = format!("{}, {until}", word(self.names.rule(hold.rule)));
        Row { kind: Kind::Idle, name: format!("hold {}", hold.of.word()), amount: None, bar: None, binds: false, note }
    }

    fn less(&self, name: &str, amount: i64, top: i64) -> Row {
        let bar = Some((top.saturating_sub(amount), top)).filter(|_| amount > 0);
        Row { kind: Kind::Less, name: name.into(), amount: Some(amount), bar, binds: false, note: String::new() }
    }

    fn result(&self, name: &str, amount: i64, bound_by: Term) -> Row {
        let note = format!("bound by {}", word(self.names.term(bound_by)));
        let bar = Some((0, amount));
        Row { kind: Kind::Result, name: name.into(), amount: Some(amount), bar, binds: false, note }
    }

    fn until(&self, until: Option<Timestamp>) -> String {
        match until {
            Some(until) => format!("until {}", zone::minute(until, &self.look.zone)),
            None => "until lifted".to_owned(),
        }
    }
}

fn draw(rows: &[Row], look: &Look, paint: Paint) -> String {
    let amount = |row: &Row| row.amount.map(money).unwrap_or_default();
    let chars = |text: String| text.chars().count();
    let names = rows.iter().map(|row| chars(row.name.clone())).max().unwrap_or(0);
    let amounts = rows.iter().map(|row| chars(amount(row))).max().unwrap_or(0);
    // Two for the sign, one between columns, four around the bar.
    let taken = names + amounts + 7;
    let cells = (look.width.saturating_sub(taken) / 2).clamp(CELLS_MIN, CELLS_MAX);
    let room = look.width.saturating_sub(taken + cells).max(CELLS_MIN);
    let full = rows.iter().filter_map(|row| row.bar).map(|(_, to)| to).max().unwrap_or(0).max(1);
    let scale = Scale { full, cells };
    let mut out = format!("\n{}\n", paint.strong("LIMIT"));
    for row in rows {
        let (sign, bar) = sign_and_bar(row, scale);
        let blank = " ".repeat(cells - bar.chars().count());
        let mark = if row.binds { "◀" } else { " " };
        let name = format!("{:names$}", row.name);
        let name = if row.kind == Kind::Result { paint.strong(&name) } else { name };
        let (bar, note) = (colored(row, &bar, paint), paint.faint(&cut(&row.note, room)));
        let amount = format!("{:>amounts$}", amount(row));
        let line = format!("{sign} {name} {amount}  {bar}{blank} {} {note}", paint.less(mark));
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

fn sign_and_bar(row: &Row, scale: Scale) -> (&'static str, String) {
    let (sign, fill) = match row.kind {
        Kind::Term if row.name == "boost" => ("+", '▒'),
        Kind::Term => (" ", '█'),
        Kind::Idle => ("·", '░'),
        Kind::Less => ("−", '▓'),
        Kind::Result => ("=", '█'),
    };
    (sign, row.bar.map_or_else(String::new, |(from, to)| scale.bar(from, to, fill)))
}

fn colored(row: &Row, bar: &str, paint: Paint) -> String {
    match row.kind {
        Kind::Result => paint.more(bar),
        Kind::Less => paint.less(bar),
        Kind::Idle => paint.faint(bar),
        Kind::Term => bar.to_owned(),
    }
}
