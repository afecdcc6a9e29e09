//! An account from its stored form; the layout stands in `store.proto`.

use headroom_engine::{
    Account, AccountId, Block, Boost, Cap, CapName, Cause, Class, Compensation, Cycle, DayBucket, Due, Fact, Fed, Hold,
    HoldOf, HoldUntil, HourBucket, Mark, MarkKind, MonthBucket, OpenOffer, OpenReview, Participation, Payment,
    Reported, Scope, Segment, Status, Steps, Tier, Timer, TimerKind, Timestamp, Uncleared, Undo, UndoField, Waiver,
    Windows,
};

use super::take::{Content, Damage, Fields, Hashes, Row, Taken};
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
    let mut reader = Reader::new();
    while let Some((field, content)) = fields.next()? {
        reader.field(field, content)?;
    }
    Ok(reader.account)
}

/// The account as far as it is read, and what later fields refer to.
struct Reader<'a> {
    account: Account,
    texts: Vec<&'a str>,
    uncleared: Hashes<'a>,
    payments: Hashes<'a>,
    promotions: Hashes<'a>,
}

impl<'a> Reader<'a> {
    fn new() -> Reader<'a> {
        Reader {
            account: Account::provisional(AccountId::from(""), Timestamp(0), 0),
            texts: Vec::new(),
            uncleared: Hashes::default(),
            payments: Hashes::default(),
            promotions: Hashes::default(),
        }
    }

    fn field(&mut self, field: u64, content: Content<'a>) -> Taken<()> {
        match field {
            1..=14 => self.profile(field, content),
            15 => {
                self.texts.push(content.text()?);
                Ok(())
            }
            16..=18 => windows(&mut self.account.orders[0], field - 16, content),
            19..=21 => windows(&mut self.account.orders[1], field - 19, content),
            22..=26 | 64 => self.money(field, content),
            27..=32 => self.repay(field, content),
            33..=37 => self.delinquency(field, content),
            38..=46 | 63 => self.history(field, content),
            47..=52 => self.stack(field, content),
            53..=62 => self.memory(field, content),
            _ => Err(Damage::Field),
        }
    }

    fn profile(&mut self, field: u64, content: Content<'a>) -> Taken<()> {
        let account = &mut self.account;
        match field {
            1 => account.id = content.text()?.into(),
            2 => self.start_at(Timestamp(content.signed()?)),
            3 => account.status = content.word(Status::from_index)?,
            4 => account.segment = content.word(Segment::from_index)?,
            5 => account.tier = content.word(Tier::from_index)?,
            6 => account.currency = Some(currency(content.text()?)?),
            7 => account.opened_at = content.time(account.clock)?,
            8 => account.first_seen = content.time(account.clock)?,
            9 => account.sequence = content.unsigned()?,
            10 => account.broadcast = content.unsigned()?,
            11 => account.volume = content.signed()?,
            12 => account.stack.base = content.signed()?,
            13 => account.money.balance = content.signed()?,
            _ => account.declined_days = content.unsigned()?,
        }
        Ok(())
    }

    /// Times that are left out equal the clock.
    fn start_at(&mut self, clock: Timestamp) {
        let account = &mut self.account;
        (account.clock, account.opened_at, account.first_seen) = (clock, clock, clock);
    }

    fn money(&mut self, field: u64, content: Content<'a>) -> Taken<()> {
        let (money, clock) = (&mut self.account.money, self.account.clock);
        match field {
            22 => money.last_moved = content.time(clock)?,
            23 => money.drift = content.count()?,
            24 => money.pending = content.row(clock)?.table(2, dated)?,
            25 => self.uncleared = content.hashes()?,
            26 => {
                let payments = &mut self.uncleared;
                money.uncleared = content.row(clock)?.table(2, |row, _| uncleared(row, payments))?;
            }
            _ => money.as_of = content.time(clock)?,
        }
        Ok(())
    }

    fn repay(&mut self, field: u64, content: Content<'a>) -> Taken<()> {
        let (repay, clock) = (&mut self.account.repay, self.account.clock);
        match field {
            27 => repay.cycle = Some(content.row(clock)?.single(cycle)?),
            28 => repay.fed = content.row(clock)?.single(fed)?,
            29 => {
                let streaks = content.row(clock)?.single(streaks)?;
                [repay.on_time_streak, repay.early_streak, repay.full_streak, repay.min_only_streak, repay.cycles] =
                    streaks;
            }
            30 => repay.autopay = Some(content.flag()?),
            31 => self.payments = content.hashes()?,
            _ => {
                let (cycles, payments) = (repay.cycles, &mut self.payments);
                repay.payments = content.row(clock)?.table(2, |row, _| payment(row, payments, cycles))?;
            }
        }
        Ok(())
    }

    fn delinquency(&mut self, field: u64, content: Content<'a>) -> Taken<()> {
        let (delinquency, clock) = (&mut self.account.delinquency, self.account.clock);
        match field {
            33 => delinquency.dues = content.row(clock)?.table(3, due)?,
            34 => delinquency.reported = Some(content.row(clock)?.single(reported)?),
            35 => delinquency.seen = content.narrow()?,
            36 => delinquency.months = content.row(clock)?.table(2, dated)?,
            _ => delinquency.cured_at = Some(content.time(clock)?),
        }
        Ok(())
    }

    fn history(&mut self, field: u64, content: Content<'a>) -> Taken<()> {
        let clock = self.account.clock;
        let account = &mut self.account;
        match field {
            38 => account.utilisation.months = content.row(clock)?.table(3, utilisation_month)?,
            39 => account.utilisation.above_80 = content.unsigned()?,
            40 => account.utilisation.day = content.narrow()?,
            41 => account.marks = content.row(clock)?.table(2, mark)?,
            42 => account.facts = content.row(clock)?.table(6, |row, _| fact(row))?,
            43 => self.promotions = content.hashes()?,
            44 => {
                let promotions = &mut self.promotions;
                account.promotions = content.row(clock)?.table(8, |row, _| participation(row, promotions))?;
            }
            45 => account.growth.bases = content.row(clock)?.table(2, dated)?,
            46 => content.row(clock)?.single(|row| growth(row, account))?,
            _ => account.last_order_at = Some(content.time(clock)?),
        }
        Ok(())
    }

    fn stack(&mut self, field: u64, content: Content<'a>) -> Taken<()> {
        let (stack, row) = (&mut self.account.stack, content.row(self.account.clock)?);
        match field {
            47 => stack.boosts = row.table(9, |row, _| boost(row))?,
            48 => stack.caps = row.table(3, |row, _| cap(row))?,
            49 => {
                let texts = &self.texts;
                stack.blocks = row.table(9, |row, _| block(row, texts))?;
            }
            50 => stack.holds = row.table(4, |row, _| hold(row))?,
            51 => stack.waivers = row.table(3, |row, _| waiver(row))?,
            _ => stack.undo = row.table(6, |row, _| undo(row))?,
        }
        Ok(())
    }

    fn memory(&mut self, field: u64, content: Content<'a>) -> Taken<()> {
        let (memory, clock) = (&mut self.account.memory, self.account.clock);
        match field {
            53 => memory.once = content.row(clock)?.table(1, rule)?,
            54 => {
                let texts = &self.texts;
                memory.reviews = content.row(clock)?.table(6, |row, _| review(row, texts))?;
            }
            55 => memory.offers = content.row(clock)?.table(6, |row, _| offer(row))?,
            56 => memory.compensations = content.row(clock)?.table(4, |row, _| compensation(row))?,
            57 => memory.consent = Some(content.flag()?),
            58 => memory.missed = content.count()?,
            59 => memory.cascade_cut = content.count()?,
            60 => memory.next_monthly = Some(content.time(clock)?),
            61 => memory.ledger_behind_since = Some(content.time(clock)?),
            _ => self.account.timers = content.row(clock)?.table(3, |row, _| timer(row))?,
        }
        Ok(())
    }
}

fn currency(text: &str) -> Taken<headroom_policy::Currency> {
    text.parse().map_err(|_| Damage::Text)
}

fn windows(windows: &mut Windows, which: u64, content: Content<'_>) -> Taken<()> {
    let row = content.row(Timestamp(0))?;
    match which {
        0 => windows.hours = row.table(2, hour)?,
        1 => windows.days = row.table(2, day)?,
        _ => windows.months = row.table(3, month)?,
    }
    Ok(())
}

fn hour(row: &mut Row<'_>, before: Option<&HourBucket>) -> HourBucket {
    let (hour, others) = row.running_with_bits(before.map(|each| each.hour));
    let amount = row.number();
    HourBucket {
        hour,
        amount,
        count: if others[0] { row.narrow() } else { 1 },
        large: if others[1] { row.narrow() } else { 0 },
        max_order: row.number_if(others[2], amount),
    }
}

fn day(row: &mut Row<'_>, before: Option<&DayBucket>) -> DayBucket {
    let (day, others) = row.running_with_bits(before.map(|each| each.day));
    let placed = row.number();
    let [paid, refunded, cancelled] = others;
    DayBucket {
        day,
        placed,
        paid: row.number_if(paid, 0),
        refunded: row.number_if(refunded, 0),
        cancelled: row.number_if(cancelled, 0),
    }
}

fn month(row: &mut Row<'_>, before: Option<&MonthBucket>) -> MonthBucket {
    let month = row.running(before.map(|each| each.month));
    MonthBucket { month, count: row.narrow(), max_order: row.number() }
}

/// A running day or month with a number.
fn dated<T: TryFrom<i64> + Default>(row: &mut Row<'_>, before: Option<&(i32, T)>) -> (i32, T) {
    (row.running(before.map(|(date, _)| *date)), row.narrow())
}

fn utilisation_month(row: &mut Row<'_>, before: Option<&(i32, i64, i32)>) -> (i32, i64, i32) {
    (row.running(before.map(|(month, _, _)| *month)), row.number(), row.narrow())
}

fn uncleared(row: &mut Row<'_>, payments: &mut Hashes<'_>) -> Uncleared {
    Uncleared { payment: row.hash(payments), amount: row.number(), clears_at: row.time() }
}

fn cycle(row: &mut Row<'_>) -> Cycle {
    Cycle {
        balance: row.number(),
        min_due: row.number(),
        due_at: row.optional_time(),
        issued_at: row.time(),
        paid: row.number(),
        min_paid_at: row.optional_time(),
        full_paid_at: row.optional_time(),
    }
}

fn fed(row: &mut Row<'_>) -> Fed {
    Fed { on_time: row.flag(), early: row.flag(), full: row.flag(), spare: row.number() }
}

fn streaks(row: &mut Row<'_>) -> [u32; 5] {
    [row.narrow(), row.narrow(), row.narrow(), row.narrow(), row.narrow()]
}

fn payment(row: &mut Row<'_>, payments: &mut Hashes<'_>, cycles: u32) -> Payment {
    Payment { payment: row.hash(payments), amount: row.number(), cycle: row.running(Some(cycles)) }
}

fn due(row: &mut Row<'_>, before: Option<&Due>) -> Due {
    let due_at = match before {
        Some(before) => Timestamp(before.due_at.0.wrapping_add(row.number())),
        None => row.time(),
    };
    let amount = row.number();
    Due { due_at, amount, paid: amount.wrapping_sub(row.number()) }
}

fn reported(row: &mut Row<'_>) -> Reported {
    Reported { dpd: row.narrow(), day: row.narrow(), advances: row.flag(), cycle: row.narrow() }
}

fn mark(row: &mut Row<'_>, before: Option<&Mark>) -> Mark {
    let kinds = [MarkKind::Late, MarkKind::Returned, MarkKind::Broken, MarkKind::Fraud];
    Mark { kind: row.word(&kinds), day: row.running(before.map(|mark| mark.day)) }
}

fn fact(row: &mut Row<'_>) -> Fact {
    Fact {
        key: row.narrow(),
        value: row.number(),
        at: row.time(),
        until: row.optional_time(),
        last_true: row.optional_time(),
        earlier: row.optional(|row| (row.number(), row.time())),
    }
}

fn participation(row: &mut Row<'_>, promotions: &mut Hashes<'_>) -> Participation {
    Participation {
        promotion: row.hash(promotions),
        enrolled: row.flag(),
        forecast: row.number(),
        amount: row.number(),
        best_day: row.number(),
        today: (row.narrow(), row.number()),
        worst_dpd: row.narrow(),
        flips: row.narrow(),
    }
}

fn growth(row: &mut Row<'_>, account: &mut Account) {
    let growth = &mut account.growth;
    growth.last_increase = row.optional_time();
    growth.last_boost = row.optional_time();
    growth.last_decrease = row.optional_time();
    growth.favourable = (row.narrow(), row.narrow());
}

fn boost(row: &mut Row<'_>) -> Boost {
    Boost {
        amount: row.number(),
        granted: row.number(),
        from: row.time(),
        until: row.time(),
        rule: row.narrow(),
        promotion: row.bits(),
        expired: row.flag(),
        used_peak: row.number(),
        steps: row.optional(steps),
    }
}

fn steps(row: &mut Row<'_>) -> Steps {
    Steps { percent: row.number(), every: row.number(), next: row.time(), left: row.narrow() }
}

fn cap(row: &mut Row<'_>) -> Cap {
    Cap { name: row.word(CapName::ALL), amount: row.number(), until: row.optional_time() }
}

fn block(row: &mut Row<'_>, texts: &[&str]) -> Block {
    Block {
        cause: row.word(Cause::ALL),
        scope: row.word(Scope::ALL),
        ceiling: row.optional(Row::number),
        since: row.time(),
        until: row.optional_time(),
        granted_before: row.number(),
        rule: row.narrow(),
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
    Hold { of, until, rule: row.narrow() }
}

fn waiver(row: &mut Row<'_>) -> Waiver {
    Waiver { cause: row.word(Cause::ALL), rule: row.narrow(), until: row.time() }
}

fn undo(row: &mut Row<'_>) -> Undo {
    let sequence = row.bits();
    let field = row.word(&[UndoField::Base, UndoField::Boost, UndoField::Block]);
    Undo {
        sequence,
        field,
        delta: row.number(),
        cause: row.optional(|row| row.word(Cause::ALL)),
        rule: row.narrow(),
        at: row.time(),
    }
}

fn rule(row: &mut Row<'_>, before: Option<&u32>) -> u32 {
    row.running(before.copied())
}

fn review(row: &mut Row<'_>, texts: &[&str]) -> OpenReview {
    OpenReview {
        id: id(row),
        kind: row.text(texts),
        cause: row.optional(|row| row.word(Cause::ALL)),
        blocking: row.flag(),
        at: row.time(),
    }
}

fn offer(row: &mut Row<'_>) -> OpenOffer {
    OpenOffer {
        id: id(row),
        rule: row.narrow(),
        class: row.word(Class::ALL),
        amount: row.number(),
        expires: row.time(),
    }
}

fn compensation(row: &mut Row<'_>) -> Compensation {
    Compensation { rule: row.narrow(), cause: row.word(Cause::ALL), deadline: row.time(), every: row.number() }
}

fn timer(row: &mut Row<'_>) -> Timer {
    let due = row.time();
    let kind = row.known(TimerKind::from_number, TimerKind::Expiry);
    Timer { due, kind, rule: row.narrow() }
}

fn id(row: &mut Row<'_>) -> u128 {
    u128::from(row.bits()) << 64 | u128::from(row.bits())
}
