//! An account from its stored form; the layout stands in `store.proto`.

use headroom_engine::{
    Account, AccountId, Block, Boost, Cap, CapName, Cause, Class, Compensation, Cycle, DayBucket, Due, Fact, Fed, Hold,
    HoldOf, HoldUntil, HourBucket, Mark, MarkKind, MonthBucket, OpenOffer, OpenReview, Participation, Payment,
    Reported, Scope, Segment, Status, Steps, Tier, Timer, TimerKind, Timestamp, Uncleared, Undo, UndoField, Waiver,
    Windows,
};
use headroom_policy::Currency;

use super::account_form::{KNOWN_FACT_KEYS, Part, WINDOWS, first_day, first_hour, first_month};
use super::take::{Damage, Fields, Hashes, Row, Taken};
use super::{StoredError, versioned};

/// Reads the stored form of an account.
///
/// # Errors
/// [`StoredError::Newer`] if a later build wrote it, [`StoredError::Damaged`] if it is no account.
pub fn decode_account(bytes: &[u8]) -> Result<Account, StoredError> {
    let mut fields = Fields::new(versioned(bytes)?);
    read(&mut fields).map_err(|damage| StoredError::damaged(format!("account, field {}: {damage}", fields.last())))
}

fn read(fields: &mut Fields<'_>) -> Taken<Account> {
    let (mut id, mut texts, mut keys, mut body, mut present) = ("", Vec::new(), Hashes::default(), None, 0);
    while let Some((field, content)) = fields.next()? {
        match field {
            1 => id = content.text()?,
            2 => texts.push(content.text()?),
            3 => keys = content.hashes()?,
            4 => body = Some(content),
            5 => present = content.unsigned()?,
            _ => return Err(Damage::Field),
        }
    }
    let row = body.ok_or(Damage::CutOff)?.row(present)?;
    Reader { row, texts, keys }.account(id)
}

/// The numbers still to be read, and what they refer to.
struct Reader<'a> {
    row: Row<'a>,
    texts: Vec<&'a str>,
    keys: Hashes<'a>,
}

impl Reader<'_> {
    fn account(mut self, id: &str) -> Taken<Account> {
        let clock = self.row.time();
        self.row.told_from(clock);
        let mut account = Account::provisional(AccountId::from(id), clock, 0);
        let row = &mut self.row;
        profile(row, &mut account);
        for (windows, parts) in account.orders.iter_mut().zip(WINDOWS) {
            self::windows(row, parts, windows);
        }
        self.money(&mut account);
        delinquency(&mut self.row, &mut account);
        self.repay(&mut account);
        self.history(&mut account);
        growth(&mut self.row, &mut account);
        self.stack(&mut account);
        self.memory(&mut account);
        account.timers = self.row.table(Part::Timers, |row, _| timer(row));
        self.row.end()?;
        self.keys.end().map(|()| account)
    }

    fn money(&mut self, account: &mut Account) {
        let (row, keys, money) = (&mut self.row, &mut self.keys, &mut account.money);
        money.last_moved = row.part(Part::MoneyLastMoved, Row::time).unwrap_or_default();
        money.as_of = row.part(Part::MoneyAsOf, Row::time).unwrap_or_default();
        money.drift = row.count_part(Part::Drift);
        money.pending = row.table(Part::Pending, |row, _| (row.day(), row.amount()));
        money.uncleared = row.table(Part::Uncleared, |row, _| Uncleared {
            payment: row.hash(keys),
            amount: row.amount(),
            clears_at: row.time(),
        });
    }

    fn repay(&mut self, account: &mut Account) {
        let (row, keys, repay) = (&mut self.row, &mut self.keys, &mut account.repay);
        let last_due = account.delinquency.dues.last();
        repay.cycle = row.part(Part::Cycle, |row| cycle(row, last_due));
        repay.fed = row.part(Part::Fed, fed).unwrap_or_default();
        let streaks = row.part(Part::Streaks, streaks).unwrap_or_default();
        [repay.on_time_streak, repay.early_streak, repay.full_streak, repay.min_only_streak, repay.cycles] = streaks;
        let cycles = repay.cycles;
        repay.payments = row.table(Part::Payments, |row, _| Payment {
            payment: row.hash(keys),
            amount: row.amount(),
            cycle: cycles.wrapping_sub(row.count()),
        });
    }

    fn history(&mut self, account: &mut Account) {
        let (row, keys) = (&mut self.row, &mut self.keys);
        if row.has(Part::Utilisation) {
            utilisation(row, account);
        }
        account.marks = row.table(Part::Marks, |row, _| mark(row));
        account.facts = row.table(Part::Facts, |row, _| fact(row));
        account.promotions = row.table(Part::Promotions, |row, _| participation(row, keys));
    }

    fn stack(&mut self, account: &mut Account) {
        let (row, texts, keys, stack) = (&mut self.row, &self.texts, &mut self.keys, &mut account.stack);
        stack.boosts = row.table(Part::Boosts, |row, _| boost(row, keys));
        stack.caps = row.table(Part::Caps, |row, _| cap(row));
        stack.blocks = row.table(Part::Blocks, |row, _| block(row, texts));
        stack.holds = row.table(Part::Holds, |row, _| hold(row));
        stack.waivers = row.table(Part::Waivers, |row, _| waiver(row));
        stack.undo = row.table(Part::Undo, |row, _| undo(row));
    }

    fn memory(&mut self, account: &mut Account) {
        let (row, texts, keys, memory) = (&mut self.row, &self.texts, &mut self.keys, &mut account.memory);
        memory.once = row.table(Part::Once, |row, _| row.count());
        memory.reviews = row.table(Part::Reviews, |row, _| review(row, texts, keys));
        memory.offers = row.table(Part::Offers, |row, _| offer(row, keys));
        memory.compensations = row.table(Part::Compensations, |row, _| compensation(row));
        memory.missed = row.count_part(Part::Missed);
        memory.cascade_cut = row.count_part(Part::CascadeCut);
        memory.ledger_behind_since = row.part(Part::LedgerBehind, Row::time);
    }
}

fn profile(row: &mut Row<'_>, account: &mut Account) {
    words(row, account);
    account.currency = row.part(Part::Currency, currency);
    account.opened_at = row.time();
    account.first_seen = row.time();
    account.last_order_at = row.part(Part::LastOrder, Row::time);
    account.sequence = row.count_part(Part::Sequence);
    account.broadcast = row.bits();
    account.volume = row.amount();
    account.stack.base = row.amount();
    account.money.balance = row.number();
    account.declined_days = row.count_part(Part::Declined);
}

/// Three words of three bits, two answers of two.
fn words(row: &mut Row<'_>, account: &mut Account) {
    let bits: u16 = row.count();
    let [first, second, third] = [bits, bits >> 3, bits >> 6].map(|bits| (bits & 7).to_le_bytes()[0]);
    account.status = row.known_as(Status::from_index(first), account.status);
    account.segment = row.known_as(Segment::from_index(second), account.segment);
    account.tier = row.known_as(Tier::from_index(third), account.tier);
    account.repay.autopay = row.known_as(answer(bits >> 9 & 3), None);
    account.memory.consent = row.known_as(answer(bits >> 11), None);
}

/// `None`: the number means nothing.
fn answer(number: u16) -> Option<Option<bool>> {
    [None, Some(false), Some(true)].get(usize::from(number)).copied()
}

/// Three letters as a number to the base of 26.
fn currency(row: &mut Row<'_>) -> Currency {
    let number: u16 = row.count();
    let first = row.known_as(Some(number / 676).filter(|first| *first < 26), 0);
    Currency([first, number / 26 % 26, number % 26].map(|letter| letter.to_le_bytes()[0] + b'A'))
}

fn windows(row: &mut Row<'_>, [hours, days, months]: [Part; 3], windows: &mut Windows) {
    let clock = row.clock();
    windows.hours = row.table(hours, |row, before: Option<&HourBucket>| {
        hour(row, before.map_or_else(|| first_hour(clock), |each| each.hour))
    });
    windows.days = row.table(days, |row, before: Option<&DayBucket>| {
        day(row, before.map_or_else(|| first_day(clock), |each| each.day))
    });
    windows.months = row.table(months, |row, before: Option<&MonthBucket>| {
        month(row, before.map_or_else(|| first_month(clock), |each| each.month))
    });
}

fn hour(row: &mut Row<'_>, before: i32) -> HourBucket {
    let (hour, [count, large, max]) = row.running(before);
    let amount = row.amount();
    HourBucket {
        hour,
        amount,
        count: if count { row.count() } else { 1 },
        large: if large { row.count() } else { 0 },
        max_order: row.amount_if(max, amount),
    }
}

fn day(row: &mut Row<'_>, before: i32) -> DayBucket {
    let (day, [placed, paid, refunded, cancelled]) = row.running(before);
    DayBucket {
        day,
        placed: row.amount_if(placed, 0),
        paid: row.amount_if(paid, 0),
        refunded: row.amount_if(refunded, 0),
        cancelled: row.amount_if(cancelled, 0),
    }
}

fn month(row: &mut Row<'_>, before: i32) -> MonthBucket {
    let (month, [max]) = row.running(before);
    MonthBucket { month, count: row.count(), max_order: row.amount_if(max, 0) }
}

fn delinquency(row: &mut Row<'_>, account: &mut Account) {
    let delinquency = &mut account.delinquency;
    delinquency.dues = row.table(Part::Dues, |row, _| due(row));
    delinquency.reported = row.part(Part::Reported, reported);
    delinquency.seen = row.part(Part::DpdSeen, Row::narrow).unwrap_or_default();
    let first = first_month(row.clock());
    delinquency.months = row.table(Part::DpdMonths, |row, before: Option<&(i32, i32)>| {
        let (month, []) = row.running(before.map_or(first, |(month, _)| *month));
        (month, row.narrow())
    });
    delinquency.cured_at = row.part(Part::Cured, Row::time);
}

fn due(row: &mut Row<'_>) -> Due {
    let (due_at, amount, left) = (row.time(), row.amount(), row.amount());
    Due { due_at, amount, paid: amount.wrapping_sub(left) }
}

fn reported(row: &mut Row<'_>) -> Reported {
    Reported { dpd: row.narrow(), day: row.day(), advances: row.flag(), cycle: row.count() }
}

fn cycle(row: &mut Row<'_>, last_due: Option<&Due>) -> Cycle {
    let [known, due, min_paid, full_paid, paid] = row.flags();
    let balance = row.number();
    let (min_due, due_at) = if known {
        let last_due = row.known_as(last_due.copied(), Due { due_at: Timestamp(0), amount: 0, paid: 0 });
        (last_due.amount, Some(last_due.due_at))
    } else {
        (row.amount(), row.time_if(due))
    };
    let (min_paid_at, full_paid_at) = (row.time_if(min_paid), row.time_if(full_paid));
    let issued_at = row.time();
    Cycle { balance, min_due, due_at, issued_at, paid: row.amount_if(paid, 0), min_paid_at, full_paid_at }
}

fn fed(row: &mut Row<'_>) -> Fed {
    let [on_time, early, full] = row.flags();
    Fed { on_time, early, full, spare: row.number() }
}

fn streaks(row: &mut Row<'_>) -> [u32; 5] {
    std::array::from_fn(|_| row.count())
}

fn utilisation(row: &mut Row<'_>, account: &mut Account) {
    let first = first_month(row.clock());
    account.utilisation.day = row.day();
    account.utilisation.above_80 = row.bits();
    account.utilisation.months = row.rows(|row, before: Option<&(i32, i64, i32)>| {
        let (month, []) = row.running(before.map_or(first, |(month, _, _)| *month));
        (month, row.amount(), row.narrow())
    });
}

fn mark(row: &mut Row<'_>) -> Mark {
    let kinds = [MarkKind::Late, MarkKind::Returned, MarkKind::Broken, MarkKind::Fraud];
    Mark { kind: row.word(&kinds), day: row.day() }
}

fn fact(row: &mut Row<'_>) -> Fact {
    let head: u8 = row.count();
    let [is_true, other_true, more] = [1, 2, 4].map(|bit| head & bit != 0);
    let key = match usize::from(head >> 3).checked_sub(1) {
        Some(at) => row.known_as(KNOWN_FACT_KEYS.get(at).copied(), 0),
        None => row.count(),
    };
    let (value, at) = (row.number(), row.time());
    let last_true = row.time_if(other_true).or(is_true.then_some(at));
    let [until, earlier] = if more { row.flags() } else { [false; 2] };
    let until = row.time_if(until);
    let earlier = earlier.then(|| (row.number(), row.time()));
    Fact { key, value, at, until, last_true, earlier }
}

fn participation(row: &mut Row<'_>, keys: &mut Hashes<'_>) -> Participation {
    let [enrolled, forecast, best, sum, rare] = row.flags();
    let forecast = row.amount_if(forecast, 0);
    let (amount, day) = (row.amount(), row.day());
    let best_day = row.amount_if(best, amount);
    let today = (day, row.amount_if(sum, best_day));
    let (worst_dpd, flips) = if rare { (row.narrow(), row.count()) } else { (0, 0) };
    Participation { promotion: row.hash(keys), enrolled, forecast, amount, best_day, today, worst_dpd, flips }
}

fn growth(row: &mut Row<'_>, account: &mut Account) {
    let growth = &mut account.growth;
    growth.bases = row.table(Part::Bases, |row, _| (row.day(), row.amount()));
    if row.has(Part::Growth) {
        let [increase, boost, decrease] = row.flags();
        growth.last_increase = row.time_if(increase);
        growth.last_boost = row.time_if(boost);
        growth.last_decrease = row.time_if(decrease);
        growth.favourable = (row.day(), row.count());
    }
}

fn boost(row: &mut Row<'_>, keys: &mut Hashes<'_>) -> Boost {
    Boost {
        amount: row.amount(),
        granted: row.amount(),
        from: row.time(),
        until: row.time(),
        rule: row.count(),
        promotion: row.hash(keys),
        expired: row.flag(),
        used_peak: row.amount(),
        steps: row.optional(steps),
    }
}

fn steps(row: &mut Row<'_>) -> Steps {
    Steps { percent: row.number(), every: row.amount(), next: row.time(), left: row.count() }
}

fn cap(row: &mut Row<'_>) -> Cap {
    Cap { name: row.word(CapName::ALL), amount: row.amount(), until: row.optional_time() }
}

fn block(row: &mut Row<'_>, texts: &[&str]) -> Block {
    Block {
        cause: row.word(Cause::ALL),
        scope: row.word(Scope::ALL),
        ceiling: row.optional(Row::number),
        since: row.time(),
        until: row.optional_time(),
        granted_before: row.number(),
        rule: row.count(),
        proposed: row.time(),
        by: row.text(texts),
    }
}

fn hold(row: &mut Row<'_>) -> Hold {
    let of = row.word(HoldOf::ALL);
    let until = match row.flag() {
        true => HoldUntil::Time(row.time()),
        false => HoldUntil::Cured { days_after: row.narrow() },
    };
    Hold { of, until, rule: row.count() }
}

fn waiver(row: &mut Row<'_>) -> Waiver {
    Waiver { cause: row.word(Cause::ALL), rule: row.count(), until: row.time() }
}

fn undo(row: &mut Row<'_>) -> Undo {
    Undo {
        sequence: row.bits(),
        field: row.word(&[UndoField::Base, UndoField::Boost, UndoField::Block]),
        delta: row.number(),
        cause: row.optional(cause),
        rule: row.count(),
        at: row.time(),
    }
}

/// Where it may be missing, the word's position has a sign.
fn cause(row: &mut Row<'_>) -> Cause {
    let index = usize::try_from(row.number()).unwrap_or(usize::MAX);
    row.known_as(Cause::ALL.get(index).copied(), Cause::ALL[0])
}

fn review(row: &mut Row<'_>, texts: &[&str], keys: &mut Hashes<'_>) -> OpenReview {
    OpenReview {
        id: id(row, keys),
        kind: row.text(texts),
        cause: row.optional(cause),
        blocking: row.flag(),
        at: row.time(),
    }
}

fn offer(row: &mut Row<'_>, keys: &mut Hashes<'_>) -> OpenOffer {
    OpenOffer {
        id: id(row, keys),
        rule: row.count(),
        class: row.word(Class::ALL),
        amount: row.amount(),
        expires: row.time(),
    }
}

fn compensation(row: &mut Row<'_>) -> Compensation {
    Compensation { rule: row.count(), cause: row.word(Cause::ALL), deadline: row.time(), every: row.amount() }
}

fn timer(row: &mut Row<'_>) -> Timer {
    let due = row.time();
    let kind = row.known(TimerKind::from_number, TimerKind::Expiry);
    Timer { due, kind, rule: row.count() }
}

fn id(row: &mut Row<'_>, keys: &mut Hashes<'_>) -> u128 {
    u128::from(row.hash(keys)) << 64 | u128::from(row.hash(keys))
}
