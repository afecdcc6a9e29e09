//! What falls due: which timers an account needs, and what each does.

use crate::account::Account;
use crate::booking::note_dpd;
use crate::context::Context;
use crate::ids::spread;
use crate::output::{BlockChange, StackView};
use crate::stack::HoldUntil;
use crate::time::{DAY, HOUR, MINUTE, Timestamp, month_of_day};
use crate::timer::{Timer, TimerKind};
use crate::trigger::{On, TriggerKind};
use crate::vocabulary::{Cause, ChangeKind, Scope, Status};

use super::decide::Decision;
use super::emit::Change;

/// A long-restricted customer hears again after so many days.
const REMIND_DAYS: i64 = 30;

impl Account {
    /// Whether a hold still counts.
    pub fn hold_lasts(&self, until: &HoldUntil, now: Timestamp) -> bool {
        match until {
            HoldUntil::Time(at) => now < *at,
            HoldUntil::Cured { days_after } => self.cured_end(*days_after).is_none_or(|end| now < end),
        }
    }

    /// When a hold "until cured" ends; `None` while something is due.
    fn cured_end(&self, days_after: i32) -> Option<Timestamp> {
        let cured = self.delinquency.cured_at.filter(|_| self.delinquency.seen == 0)?;
        Some(cured.plus(i64::from(days_after) * DAY))
    }
}

impl Decision<'_> {
    pub fn fire_timer(&mut self, timer: Timer) {
        match timer.kind {
            TimerKind::Expiry => self.expire(),
            TimerKind::BoostStep => self.steps_due(),
            TimerKind::Daily => self.daily(),
            TimerKind::Recheck => {
                self.on = vec![On::Kind(TriggerKind::Recheck)];
                self.recheck(timer.rule);
            }
            TimerKind::WaiverEnd => self.waiver_ended(timer.rule),
            TimerKind::Deferred => self.again(timer.rule, false),
            TimerKind::Scheduled => self.again(timer.rule, true),
            TimerKind::Unopened => self.unopened(),
            TimerKind::Monthly => self.monthly(),
            TimerKind::LedgerBehind => self.ask_review("ledger_behind", "the ledger has not applied our last change"),
        }
    }

    /// A rule is asked again by its own timer.
    fn again(&mut self, rule: u32, carries_out: bool) {
        if let Some(position) = self.context.ruleset.rule(rule) {
            self.on = vec![On::Kind(TriggerKind::Recheck)];
            self.passes(vec![position], carries_out);
        }
    }

    fn unopened(&mut self) {
        if self.account.status == Status::Provisional {
            self.ask_review("unopened", "events for more than a day, but nobody opened the account");
        }
    }

    fn daily(&mut self) {
        self.on = vec![On::Kind(TriggerKind::Daily)];
        self.on.extend(note_dpd(self.context, &mut self.account, self.now));
        self.passes(self.positions(&self.on), false);
        self.remind();
    }

    fn monthly(&mut self) {
        self.on = vec![On::Kind(TriggerKind::Monthly)];
        self.passes(self.positions(&self.on), false);
    }

    /// Still restricted: the customer hears again every 30 days.
    fn remind(&mut self) {
        let (now, since) = (self.now, |at: Timestamp, now: Timestamp| now.since(at) / DAY);
        let blocks = self.account.stack.blocks.iter();
        let due = blocks
            .filter(|each| each.scope >= Scope::Spend && each.lasts(now))
            .find(|each| since(each.since, now) > 0 && since(each.since, now) % REMIND_DAYS == 0)
            .map(|each| each.cause);
        if let Some(cause) = due {
            let mut notice = self.blank_notice("still_restricted", Some(cause));
            let public = if cause == Cause::Fraud { "SECURITY_CHECK" } else { cause.word() };
            notice.public_reasons = vec![public.to_uppercase()];
            notice.internal_reasons = vec![cause.word().to_uppercase()];
            notice.can_do = vec!["appeal".to_owned()];
            self.emit_notice(notice, Some(cause));
        }
    }

    /// Boosts that ran out ask rules; blocks, caps and holds that did are confirmed.
    fn expire(&mut self) {
        self.expire_blocks();
        let now = self.now;
        let before = self.stack_view();
        self.account.stack.caps.retain(|each| each.until.is_none_or(|until| now < until));
        self.confirm(ChangeKind::CapChanged, before);
        let before = self.stack_view();
        let mut holds = std::mem::take(&mut self.account.stack.holds);
        holds.retain(|each| self.account.hold_lasts(&each.until, now));
        self.account.stack.holds = holds;
        self.confirm(ChangeKind::HoldChanged, before);
        let mut expired = false;
        for boost in self.account.stack.boosts.iter_mut().filter(|each| each.until <= now && !each.expired) {
            boost.expired = true;
            expired = true;
        }
        if expired {
            self.on = vec![On::Kind(TriggerKind::BoostExpired)];
            self.passes(self.positions(&self.on), false);
        }
    }

    fn expire_blocks(&mut self) {
        let now = self.now;
        let gone: Vec<_> = self.account.stack.blocks.iter().filter(|each| !each.lasts(now)).cloned().collect();
        for block in gone {
            let before = self.stack_view();
            self.account.stack.blocks.retain(|each| each.cause != block.cause);
            let mut change = Change::new(ChangeKind::BlockChanged, before, now).because("EXPIRED");
            change.block =
                Some(BlockChange { cause: block.cause, before: Some((block.scope, block.ceiling)), after: None });
            self.emit(change);
        }
    }

    fn confirm(&mut self, kind: ChangeKind, before: StackView) {
        if before.stack != self.account.stack {
            self.emit(Change::new(kind, before, self.now).because("EXPIRED"));
        }
    }
}

/// Recomputes the timers that follow from the account's state; those that were set by hand stay, and so does what is due:
/// a broadcast may have moved the account's clock to the very instant at which it fires next.
pub(super) fn retime(context: &Context<'_>, account: &mut Account) {
    if !account.is_open() {
        let wanted = (account.status == Status::Provisional).then(|| unopened(account));
        let asked = account.memory.reviews.iter().any(|each| each.kind == "unopened");
        account.timers = wanted.filter(|_| !asked).into_iter().collect();
        return;
    }
    let by_hand = |kind: TimerKind| {
        use TimerKind::{Deferred, LedgerBehind, Monthly, Recheck, Scheduled};
        matches!(kind, Recheck | Deferred | Scheduled | LedgerBehind | Monthly)
    };
    let (clock, compensations) = (account.clock, &account.memory.compensations);
    account.timers.retain(|each| {
        (by_hand(each.kind) || each.due <= clock)
            && (each.kind != TimerKind::Recheck || compensations.iter().any(|pending| pending.rule == each.rule))
    });
    let mut timers = std::mem::take(&mut account.timers);
    timers.extend(expiry(account).map(|due| Timer { due, kind: TimerKind::Expiry, rule: 0 }));
    timers.extend(next_step(account).map(|due| Timer { due, kind: TimerKind::BoostStep, rule: 0 }));
    timers.extend(next_daily(context, account).map(|due| Timer { due, kind: TimerKind::Daily, rule: 0 }));
    if !timers.iter().any(|each| each.kind == TimerKind::Monthly) {
        timers.push(Timer { due: next_monthly(context, account), kind: TimerKind::Monthly, rule: 0 });
    }
    for waiver in &account.stack.waivers {
        timers.push(Timer { due: waiver.until, kind: TimerKind::WaiverEnd, rule: waiver.rule });
    }
    timers.sort_unstable();
    timers.dedup();
    account.timers = timers;
}

/// A day after the first event; once that was asked and answered, a day after the answer. It keeps its place until then.
fn unopened(account: &Account) -> Timer {
    let set = account.timers.iter().find(|each| each.kind == TimerKind::Unopened);
    let first = account.first_seen.plus(24 * HOUR);
    let due = if account.clock < first { first } else { account.clock.plus(24 * HOUR) };
    set.copied().unwrap_or(Timer { due, kind: TimerKind::Unopened, rule: 0 })
}

fn expiry(account: &Account) -> Option<Timestamp> {
    let stack = &account.stack;
    let boosts = stack.boosts.iter().filter(|each| !each.expired).map(|each| each.until);
    let blocks = stack.blocks.iter().filter_map(|each| each.until);
    let caps = stack.caps.iter().filter_map(|each| each.until);
    let holds = stack.holds.iter().filter_map(|each| match each.until {
        HoldUntil::Time(at) => Some(at),
        HoldUntil::Cured { days_after } => account.cured_end(days_after),
    });
    boosts.chain(blocks).chain(caps).chain(holds).min()
}

fn next_step(account: &Account) -> Option<Timestamp> {
    account.stack.boosts.iter().filter_map(|each| each.steps.map(|steps| steps.next)).min()
}

/// A daily look is for accounts with a block, a boost, a hold, something due, or a promotion ahead that they take part
/// in; for the others the day on which a minimum becomes past due.
fn next_daily(context: &Context<'_>, account: &Account) -> Option<Timestamp> {
    let stack = &account.stack;
    let zone = &context.ruleset.settings.zone;
    let ahead =
        || {
            account.promotions.iter().filter(|each| each.enrolled).any(|each| {
                context.broadcasts.promotion(each.promotion).is_some_and(|known| account.clock < known.start)
            })
        };
    let needed = !stack.blocks.is_empty()
        || !stack.boosts.is_empty()
        || !stack.holds.is_empty()
        || account.delinquency.seen > 0
        || ahead();
    if needed {
        return Some(zone.day_start(zone.day(account.clock).saturating_add(1)));
    }
    account.next_past_due(zone).map(|due| due.max(account.clock.plus(1)))
}

/// The next monthly look: one day of the first 28 and one minute of it, both from the id's hash, so that millions of
/// accounts do not fall due together. Where a clock is put forward, the last minutes of that day are the next day's first.
fn next_monthly(context: &Context<'_>, account: &Account) -> Timestamp {
    let (zone, spread) = (&context.ruleset.settings.zone, spread(&account.id));
    let day = i32::try_from(spread % 28).unwrap_or(0);
    let minute = i64::try_from(spread / 28 % (24 * 60)).unwrap_or(0);
    let in_month = |first: i32| zone.day_start(first.saturating_add(day)).plus(minute * MINUTE);
    let today = zone.day(account.clock);
    let month = month_of_day(today);
    let first = (today.saturating_sub(31)..=today).find(|day| month_of_day(*day) == month).unwrap_or(today);
    let this = in_month(first);
    if account.clock < this {
        return this;
    }
    let next = (first.saturating_add(28)..).find(|day| month_of_day(*day) != month).unwrap_or(first);
    in_month(next)
}
