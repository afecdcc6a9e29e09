//! From a draft to the event that is published.

use headroom_wire::Timestamp;
use headroom_wire::proto::account_event::Kind as AccountKind;
use headroom_wire::proto::control_event::Kind as ControlKind;
use headroom_wire::proto::event::Body;
use headroom_wire::proto::holiday_calendar::Holiday;
use headroom_wire::proto::market_event::Kind as MarketKind;
use headroom_wire::proto::order_event::{Kind as OrderKind, Purpose, Side};
use headroom_wire::proto::promotion_event::Kind as PromotionKind;
use headroom_wire::proto::regime_changed::Regime;
use headroom_wire::proto::repayment_event::Kind as RepaymentKind;
use headroom_wire::proto::signal_event::Value;
use headroom_wire::proto::{
    AccountClosed, AccountEvent, AccountOpened, AppealOpened, AutopayChanged, ConsentChanged, ControlEvent, Event,
    FaultCleared, FaultDeclared, HardshipChanged, HolidayCalendar, LedgerSnapshot, ManualBlock, ManualUnblock,
    MarketEvent, OrderEvent, OverdueReported, PaymentCleared, PaymentPosted, PaymentReturned, PortfolioBudget,
    PromiseBroken, PromiseMade, PromotionEnrolled, PromotionEvent, PromotionWithdrawn, RegimeChanged, RepaymentEvent,
    Scope, Segment, SegmentChanged, SignalEvent, StatementIssued, TierChanged,
};

use super::calendar::{DAY, HOLIDAYS, HOUR, Promotion, Season};
use super::draft::{Draft, EVERYBODY, Fact, Form, What};
use super::ledger::{DAYS_TO_PAY, Ledger};
use super::profile::{Profile, is_merchant, segment_of};
use super::random::mix;

const CURRENCY: &str = "CNY";
/// The season's fault.
const FAULT: &str = "bank-files-twice";
const CATEGORIES: [&str; 6] = ["clothing", "electronics", "food", "home", "beauty", "books"];
const CHANNELS: [&str; 3] = ["app", "web", "store"];

/// The event that `draft` stands for. `ledger` is the account's before the event is booked; broadcasts have none.
pub(super) fn event(season: &Season, draft: &Draft, ledger: &Ledger) -> Event {
    let (source, body) = body(season, draft, ledger);
    Event {
        event_id: base36("", draft.id),
        source: source.to_owned(),
        account_id: account_id(season.seed, draft.account),
        occurred_at: Some(at(draft.occurred())),
        recorded_at: (draft.late > 0).then(|| at(draft.recorded)),
        body: Some(body),
        ..Event::default()
    }
}

/// `M` or `C`, for merchant or consumer, and the number of the account.
fn account_id(seed: u64, account: u32) -> String {
    match account {
        EVERYBODY => String::new(),
        _ if is_merchant(segment_of(seed, account)) => format!("M{account}"),
        _ => format!("C{account}"),
    }
}

fn body(season: &Season, draft: &Draft, ledger: &Ledger) -> (&'static str, Body) {
    match draft.what {
        What::Signal { fact, value } => ("risk", Body::Signal(signal(fact, value, draft.occurred()))),
        What::PromotionAnnounced(number) => ("ops", promotion(season, number, PromotionKind::Announced)),
        What::PromotionStarted(number) => ("ops", promotion(season, number, PromotionKind::Started)),
        What::PromotionExtended(number) => ("ops", promotion(season, number, PromotionKind::Extended)),
        What::PromotionEnded(number) => ("ops", promotion(season, number, PromotionKind::Ended)),
        What::Regime { .. } | What::Holidays | What::Budget { .. } => ("ops", market(&draft.what)),
        What::FaultDeclared { since } => ("ops", fault_declared(since)),
        What::FaultCleared { since, until } => ("ops", fault_cleared(since, until)),
        _ => keyed_body(season, draft, ledger),
    }
}

fn keyed_body(season: &Season, draft: &Draft, ledger: &Ledger) -> (&'static str, Body) {
    if let Some(order) = order(draft) {
        ("oms", Body::Order(order))
    } else if let Some(kind) = repayment(season, draft, ledger) {
        ("pay", Body::Repayment(RepaymentEvent { currency: CURRENCY.to_owned(), kind: Some(kind) }))
    } else {
        ("crm", Body::Account(AccountEvent { kind: Some(account(season, draft, ledger)) }))
    }
}

fn order(draft: &Draft) -> Option<OrderEvent> {
    use OrderKind::{Cancelled, DeclinedForLimit, HoldExpired, Paid, Placed, Refunded};
    let own = draft.id;
    let (kind, side, number, amount) = match draft.what {
        What::Sold { amount } => (Placed, Side::Seller, own, amount),
        What::SalePaid { order, amount } => (Paid, Side::Seller, order, amount),
        What::SaleRefunded { order, amount } => (Refunded, Side::Seller, order, amount),
        What::Bought { amount, .. } => (Placed, Side::Buyer, own, amount),
        What::BuyPaid { order, amount, .. } => (Paid, Side::Buyer, order, amount),
        What::BuyCancelled { order, amount, .. } => (Cancelled, Side::Buyer, order, amount),
        What::BuyRefunded { order, amount } => (Refunded, Side::Buyer, order, amount),
        What::HoldExpired { order, amount, .. } => (HoldExpired, Side::Buyer, order, amount),
        What::Declined { amount } => (DeclinedForLimit, Side::Buyer, own, amount),
        _ => return None,
    };
    let mut event = OrderEvent {
        kind: kind.into(),
        order_id: base36("o", number),
        side: side.into(),
        currency: CURRENCY.to_owned(),
        amount,
        category: pick(&CATEGORIES, number).to_owned(),
        channel: pick(&CHANNELS, number >> 8).to_owned(),
        ..OrderEvent::default()
    };
    move_credit(&draft.what, &mut event);
    Some(event)
}

/// Orders without credit stay without credit amounts.
fn move_credit(what: &What, event: &mut OrderEvent) {
    match *what {
        What::Bought { amount, credit, cash } => {
            event.hold = credit.then_some(amount);
            event.purpose = if cash { Purpose::Cash } else { Purpose::Purchase }.into();
        }
        What::BuyPaid { amount, .. } => (event.hold_released, event.captured) = (Some(amount), Some(amount)),
        What::BuyCancelled { amount, credit, .. } => event.hold_released = credit.then_some(amount),
        What::HoldExpired { amount, .. } => event.hold_released = Some(amount),
        What::BuyRefunded { amount, .. } => event.credit_refunded = Some(amount),
        What::Declined { amount } => event.hold = Some(amount),
        _ => {}
    }
}

fn repayment(season: &Season, draft: &Draft, ledger: &Ledger) -> Option<RepaymentKind> {
    Some(match draft.what {
        What::Statement => RepaymentKind::StatementIssued(statement(season, draft, ledger)),
        What::PaymentPosted { amount, clears_after } => RepaymentKind::PaymentPosted(PaymentPosted {
            payment_id: base36("p", draft.id),
            amount,
            clears_at: (clears_after > 0).then(|| at(draft.occurred() + clears_after)),
        }),
        What::PaymentCleared { payment, amount } => {
            RepaymentKind::PaymentCleared(PaymentCleared { payment_id: base36("p", payment), amount })
        }
        What::PaymentReturned { payment, amount } => {
            RepaymentKind::PaymentReturned(PaymentReturned { payment_id: base36("p", payment), amount })
        }
        What::Overdue { dpd } => RepaymentKind::OverdueReported(OverdueReported { dpd: dpd.cast_signed() }),
        What::PromiseMade { amount, due_at } => RepaymentKind::PromiseMade(PromiseMade {
            promise_id: base36("r", draft.id),
            amount,
            due_at: Some(at(due_at)),
        }),
        What::PromiseBroken { promise } => {
            RepaymentKind::PromiseBroken(PromiseBroken { promise_id: base36("r", promise) })
        }
        What::Autopay(autopay) => RepaymentKind::AutopayChanged(AutopayChanged { autopay }),
        _ => return None,
    })
}

/// Due at the last second of a day in Shanghai.
fn statement(season: &Season, draft: &Draft, ledger: &Ledger) -> StatementIssued {
    let day = (draft.occurred() - season.start).div_euclid(DAY);
    let due_at = season.start + (day + i64::from(DAYS_TO_PAY)) * DAY + 16 * HOUR - 1;
    StatementIssued {
        statement_id: base36("s", draft.id),
        balance: ledger.balance,
        min_due: ledger.min_due(),
        due_at: Some(at(due_at)),
    }
}

fn account(season: &Season, draft: &Draft, ledger: &Ledger) -> AccountKind {
    match draft.what {
        What::Opened { base, opened_at, probation } => {
            AccountKind::Opened(opened(season, draft.account, base, opened_at, probation))
        }
        What::Consent { standing } => AccountKind::ConsentChanged(ConsentChanged { standing }),
        What::TierChanged(tier) => AccountKind::TierChanged(TierChanged { tier: tier.into() }),
        What::SegmentChanged(segment) => AccountKind::SegmentChanged(SegmentChanged { segment: segment.into() }),
        What::Enrolled { promotion, forecast } => AccountKind::PromotionEnrolled(PromotionEnrolled {
            promotion_id: named(season, promotion).id.to_owned(),
            forecast_daily: forecast,
            currency: CURRENCY.to_owned(),
        }),
        What::Withdrawn { promotion } => {
            let promotion_id = named(season, promotion).id.to_owned();
            AccountKind::PromotionWithdrawn(PromotionWithdrawn { promotion_id })
        }
        What::Hardship(hardship) => AccountKind::HardshipChanged(HardshipChanged { hardship }),
        What::ManualBlock { full } => AccountKind::ManualBlock(manual_block(full)),
        What::ManualUnblock => {
            AccountKind::ManualUnblock(ManualUnblock { by: "desk-2".to_owned(), ..ManualUnblock::default() })
        }
        What::Snapshot => AccountKind::LedgerSnapshot(snapshot(draft, ledger)),
        What::Appeal => AccountKind::AppealOpened(AppealOpened {
            change_id: format!("{:016x}{:016x}", mix(draft.id), mix(!draft.id)),
            text: "please look at my limit again".to_owned(),
        }),
        What::Closed { charged_off } => AccountKind::Closed(AccountClosed { charged_off }),
        ref other => unreachable!("{other:?} is not about an account"),
    }
}

fn opened(season: &Season, account: u32, base: i64, opened_at: i64, probation: bool) -> AccountOpened {
    let profile = Profile::of(season.seed, account);
    AccountOpened {
        segment: profile.segment.into(),
        tier: profile.tier.into(),
        currency: CURRENCY.to_owned(),
        base,
        opened_at: Some(at(opened_at)),
        probation_cap: probation.then_some(base / 100 * 60),
    }
}

fn manual_block(full: bool) -> ManualBlock {
    ManualBlock {
        scope: if full { Scope::All } else { Scope::Spend }.into(),
        by: "desk-1".to_owned(),
        note: "at the customer's request".to_owned(),
        ..ManualBlock::default()
    }
}

/// The generator applies no limit changes, so the snapshot names none: it corrects nothing but a fresh account.
fn snapshot(draft: &Draft, ledger: &Ledger) -> LedgerSnapshot {
    LedgerSnapshot {
        as_of: Some(at(draft.occurred())),
        currency: CURRENCY.to_owned(),
        balance: ledger.balance,
        pending: ledger.pending,
        ..LedgerSnapshot::default()
    }
}

fn signal(fact: Fact, value: i64, occurred: i64) -> SignalEvent {
    let (value, currency) = match fact.form() {
        Form::Int => (Value::IntValue(value), ""),
        Form::Bool => (Value::BoolValue(value != 0), ""),
        Form::Money => (Value::MoneyValue(value), CURRENCY),
    };
    SignalEvent {
        name: fact.name().to_owned(),
        value: Some(value),
        currency: currency.to_owned(),
        valid_until: fact.holds_for().map(|seconds| at(occurred + seconds)),
    }
}

fn promotion(season: &Season, number: u64, kind: PromotionKind) -> Body {
    let promotion = named(season, number);
    let extended = matches!(kind, PromotionKind::Extended | PromotionKind::Ended);
    Body::Promotion(PromotionEvent {
        kind: kind.into(),
        promotion_id: promotion.id.to_owned(),
        name: promotion.name.to_owned(),
        start: Some(at(promotion.start)),
        end: Some(at(if extended { promotion.end } else { promotion.end_planned })),
        segments: if promotion.excludes_new { all_but_new_consumers() } else { Vec::new() },
    })
}

fn named(season: &Season, number: u64) -> &Promotion {
    season.promotions.iter().find(|promotion| promotion.number == number).expect("drafts name promotions of the season")
}

fn all_but_new_consumers() -> Vec<i32> {
    use Segment::{Consumer, ConsumerPrime, MerchantKey, MerchantNew, MerchantStandard};
    [Consumer, ConsumerPrime, MerchantNew, MerchantStandard, MerchantKey].map(i32::from).to_vec()
}

fn market(what: &What) -> Body {
    let kind = match *what {
        What::Regime { downturn } => {
            let regime = if downturn { Regime::Downturn } else { Regime::Normal };
            MarketKind::RegimeChanged(RegimeChanged { regime: regime.into() })
        }
        What::Budget { increase_left } => {
            MarketKind::PortfolioBudget(PortfolioBudget { currency: CURRENCY.to_owned(), increase_left })
        }
        _ => MarketKind::HolidayCalendar(HolidayCalendar { holidays: HOLIDAYS.map(holiday).to_vec() }),
    };
    Body::Market(MarketEvent { kind: Some(kind) })
}

fn fault_declared(since: i64) -> Body {
    let fault = FaultDeclared { fault_id: FAULT.to_owned(), since: Some(at(since)) };
    Body::Control(ControlEvent { kind: Some(ControlKind::FaultDeclared(fault)) })
}

fn fault_cleared(since: i64, until: i64) -> Body {
    let fault = FaultCleared { fault_id: FAULT.to_owned(), since: Some(at(since)), until: Some(at(until)) };
    Body::Control(ControlEvent { kind: Some(ControlKind::FaultCleared(fault)) })
}

fn holiday((name, start, end): (&str, i64, i64)) -> Holiday {
    Holiday { name: name.to_owned(), start: Some(at(start)), end: Some(at(end)) }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp { seconds, nanos: 0 }
}

fn pick(from: &[&'static str], number: u64) -> &'static str {
    let choice = usize::try_from(mix(number) % from.len() as u64).expect("below a length");
    from[choice]
}

fn base36(prefix: &str, mut number: u64) -> String {
    let mut digits = [0_u8; 13];
    let mut first = digits.len();
    loop {
        first -= 1;
        digits[first] = b"0123456789abcdefghijklmnopqrstuvwxyz"[usize::try_from(number % 36).expect("below 36")];
        number /= 36;
        if number == 0 {
            break;
        }
    }
    let digits = std::str::from_utf8(&digits[first..]).expect("digits are ASCII");
    format!("{prefix}{digits}")
}

#[cfg(test)]
mod tests {
    use super::base36;

    #[test]
    fn numbers_are_written_in_base_36() {
        assert_eq!([0, 35, 36, u64::MAX].map(|number| base36("", number)), ["0", "z", "10", "3w5e11264sgsf"]);
        assert_eq!(base36("o", 71), "o1z");
    }
}
