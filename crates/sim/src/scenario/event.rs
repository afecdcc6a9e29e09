//! Orders, repayments, signals; and what every event may say beside its content.

use headroom_engine::{
    AccountId, Body, Event, FactValue, Order, OrderKind, Precision, Provenance, Purpose, Repayment, Side, Signal,
    Timestamp,
};

use super::Resolve;
use super::args::Args;
use super::line::Word;
use super::money::read_money;
use super::{account, broadcast};

/// A record to come.
pub struct Draft {
    pub at: Timestamp,
    /// It follows from another line and has none of its own.
    pub implied: bool,
    pub event: Event,
    pub resolve: Resolve,
}

/// Where a line stands and what ids it may use.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    pub line: usize,
    /// Which of a series, from 0; `None`: no series.
    pub nth: Option<usize>,
    /// The account's last payment.
    pub payment: Option<&'a str>,
}

impl Place<'_> {
    /// An id that no other line has.
    pub fn id(&self, what: &str) -> String {
        match self.nth {
            Some(nth) => format!("{what}-{}.{nth}", self.line),
            None => format!("{what}-{}", self.line),
        }
    }
}

/// Every event by name.
pub const EVENTS: &[&str] = &[
    "account",
    "order_placed",
    "order_paid",
    "order_cancelled",
    "order_refunded",
    "order_hold_expired",
    "order_declined",
    "statement",
    "payment",
    "cleared",
    "returned",
    "overdue",
    "promise_made",
    "promise_broken",
    "autopay",
    "signal",
    "snapshot",
    "consent",
    "offer_answered",
    "block",
    "unblock",
    "override",
    "segment",
    "tier",
    "enrolled",
    "withdrawn",
    "hardship",
    "review_resolved",
    "appeal",
    "closed",
    "outcome",
    "promotion",
    "promotion_announced",
    "promotion_started",
    "promotion_extended",
    "promotion_ended",
    "market",
    "holidays",
    "budget",
    "fault_declared",
    "fault_cleared",
    "rollout_rolled_back",
];

/// Whether events of a name concern every account, so that no account stands after it.
pub fn is_broadcast(name: &str) -> bool {
    name.starts_with("promotion") || name.starts_with("fault_") || broadcast::NAMES.contains(&name)
}

/// The records that a line stands for; `None` where something is wrong, with findings in `args`.
pub fn drafts(name: Word<'_>, args: &mut Args<'_>, place: Place<'_>) -> Option<Vec<Draft>> {
    if is_broadcast(name.text) {
        return broadcast::drafts(name.text, args, place);
    }
    let account = args.word("the account");
    let said = body(name.text, args, place);
    let (at, (mut event, precision)) = (args.at, envelope(args, place));
    let (body, resolve) = said?;
    event.account = AccountId::from(account?.text);
    (event.body, event.precision) = (body, precision);
    Some(vec![Draft { at, implied: false, event, resolve }])
}

/// The event around a body: what every event may say.
pub fn envelope(args: &mut Args<'_>, place: Place<'_>) -> (Event, Precision) {
    let provenance = args.named("provenance");
    let provenance = args.one_of(provenance, Provenance::ALL, Provenance::word).unwrap_or(Provenance::Fact);
    let precision = args.named("precision");
    let precision = args.one_of(precision, Precision::ALL, Precision::word).unwrap_or(Precision::Second);
    let event = Event {
        id: args.text("event").unwrap_or_else(|| place.id("line")),
        source: args.text("source").unwrap_or_else(|| "scenario".to_owned()),
        account: AccountId::from(""),
        occurred_at: args.time_named("occurred").unwrap_or(args.at),
        provenance,
        precision,
        body: Body::Account(headroom_engine::AccountEvent::Outcome),
    };
    (event, precision)
}

fn body(name: &str, args: &mut Args<'_>, place: Place<'_>) -> Option<(Body, Resolve)> {
    if let Some(kind) = order_kind(name) {
        return Some((Body::Order(order(kind, args, place)?), Resolve::Nothing));
    }
    if name == "signal" {
        return Some((Body::Signal(signal(args)?), Resolve::Nothing));
    }
    if matches!(
        name,
        "statement" | "payment" | "cleared" | "returned" | "overdue" | "promise_made" | "promise_broken" | "autopay"
    ) {
        let kind = repayment(name, args, place)?;
        return Some((Body::Repayment { currency: args.currency, kind }, Resolve::Nothing));
    }
    let (event, resolve) = account::event(name, args)?;
    Some((Body::Account(event), resolve))
}

fn order_kind(name: &str) -> Option<OrderKind> {
    Some(match name {
        "order_placed" => OrderKind::Placed,
        "order_paid" => OrderKind::Paid,
        "order_cancelled" => OrderKind::Cancelled,
        "order_refunded" => OrderKind::Refunded,
        "order_hold_expired" => OrderKind::HoldExpired,
        "order_declined" => OrderKind::Declined,
        _ => return None,
    })
}

fn order(kind: OrderKind, args: &mut Args<'_>, place: Place<'_>) -> Option<Order> {
    let side = args.word("the side (`buyer` or `seller`)");
    let side = args.one_of(side, Side::ALL, Side::word);
    let amount = args.amount("the amount");
    let purpose = args.named("purpose");
    let purpose = args.one_of(purpose, Purpose::ALL, Purpose::word).unwrap_or(Purpose::Purchase);
    let released = args.money_named("released");
    Some(Order {
        kind,
        order_id: args.text("id").unwrap_or_else(|| place.id("order")),
        purpose,
        currency: args.currency,
        hold: args.money_named("hold"),
        hold_released: args.money_named("hold_released").or(released),
        captured: args.money_named("captured"),
        credit_refunded: args.money_named("credit_refunded"),
        side: side?,
        amount: amount?,
    })
}

fn repayment(name: &str, args: &mut Args<'_>, place: Place<'_>) -> Option<Repayment> {
    let id = args.text("id");
    let last = || place.payment.map_or_else(|| place.id("payment"), str::to_owned);
    Some(match name {
        "statement" => {
            let (balance, min_due) = (args.money_needed("balance"), args.money_needed("min_due"));
            let due_at = args.time_named("due");
            let statement_id = id.unwrap_or_else(|| place.id("statement"));
            Repayment::StatementIssued { statement_id, balance: balance?, min_due: min_due?, due_at }
        }
        "payment" => {
            let amount = args.amount("the amount");
            let clears_at = args.time_named("clears");
            let payment_id = id.unwrap_or_else(|| place.id("payment"));
            Repayment::PaymentPosted { payment_id, amount: amount?, clears_at }
        }
        "cleared" => Repayment::PaymentCleared { payment_id: id.unwrap_or_else(last) },
        "returned" => {
            let amount = args.amount("the amount");
            Repayment::PaymentReturned { payment_id: id.unwrap_or_else(last), amount: amount? }
        }
        "overdue" => {
            let dpd = args.needed("dpd");
            Repayment::OverdueReported { dpd: args.number(dpd)? }
        }
        "promise_made" => Repayment::PromiseMade,
        "promise_broken" => Repayment::PromiseBroken,
        _ => {
            let autopay = args.word("`true` or `false`");
            Repayment::AutopayChanged { autopay: args.flag(autopay)? }
        }
    })
}

fn signal(args: &mut Args<'_>) -> Option<Signal> {
    let fact = args.fact();
    let valid_until = args.time_named("until");
    let (name, value) = fact?;
    Some(Signal { name: name.text.to_owned(), value: fact_value(value.text, args), valid_until })
}

/// A number with a point is money; a word that is nothing else is a variant.
fn fact_value(text: &str, args: &Args<'_>) -> FactValue {
    if let Ok(flag) = text.parse() {
        return FactValue::Bool(flag);
    }
    if let Ok(number) = text.replace('_', "").parse() {
        return FactValue::Int(number);
    }
    match read_money(text) {
        Some(amount) => FactValue::Money(amount, args.currency),
        None => FactValue::Text(text.to_owned()),
    }
}
