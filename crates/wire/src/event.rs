//! Events of the contract to events of the engine. Everything that the engine relies on is checked here.

use headroom_engine::{
    AccountId, Body, Event, FactValue, Order, OrderKind, Precision, Provenance, Purpose, Refusal, RefusalCode,
    Repayment, Side, Signal, Timestamp,
};

use crate::proto::{self, event, order_event, repayment_event, signal_event};
use crate::{account_event, broadcast_event, check};

/// Checks an event and turns it into the engine's form.
///
/// # Errors
/// `NO_KEY`, `BAD_ID`, `NO_BODY`, `NO_TIME`, `UNKNOWN_WORD`, `WRONG_CURRENCY`, `AMOUNT_OUT_OF_RANGE`, `BAD_PROMOTION` or
/// `TOO_LARGE`, with the path of the field in its detail. The first failure counts, in the order of the contract.
pub fn event_from_proto(event: proto::Event) -> Result<Event, Refusal> {
    let id = key("event_id", event.event_id)?;
    let source = check::optional_id("source", event.source)?;
    let broadcast = event.body.as_ref().is_some_and(is_broadcast);
    let account = account_id(event.account_id, broadcast)?;
    let occurred_at = check::time("occurred_at", event.occurred_at)?;
    check::optional_time("recorded_at", event.recorded_at)?;
    let provenance = check::word_or("provenance", event.provenance, Provenance::from_index, Provenance::Fact)?;
    let precision = check::word_or("time_precision", event.time_precision, Precision::from_index, Precision::Second)?;
    let body = body(check::present("body", event.body)?)?;
    Ok(Event { id, source, account, occurred_at, provenance, precision, body })
}

/// The timestamp of an event's record where nothing else gives one: `recorded_at`, else `occurred_at`.
/// `None`: it has neither, or it lies outside years 1 to 9999.
pub fn record_time(event: &proto::Event) -> Option<Timestamp> {
    event.recorded_at.or(event.occurred_at)?.to_millis().map(Timestamp)
}

fn key(field: &str, value: String) -> Result<String, Refusal> {
    if value.is_empty() {
        return Err(Refusal::new(RefusalCode::NoKey, format!("`{field}` is missing")));
    }
    check::optional_id(field, value)
}

fn account_id(value: String, broadcast: bool) -> Result<AccountId, Refusal> {
    match (broadcast, value.is_empty()) {
        (true, true) => Ok(AccountId::from("")),
        (false, _) => Ok(key("account_id", value)?.into()),
        (true, false) => {
            let detail = format!("`account_id` is `{value}` on an event that concerns every account");
            Err(Refusal::new(RefusalCode::BadId, detail))
        }
    }
}

fn is_broadcast(body: &event::Body) -> bool {
    matches!(body, event::Body::Promotion(_) | event::Body::Market(_) | event::Body::Control(_))
}

fn body(body: event::Body) -> Result<Body, Refusal> {
    Ok(match body {
        event::Body::Order(body) => Body::Order(order(body)?),
        event::Body::Repayment(body) => repayment(body)?,
        event::Body::Signal(body) => Body::Signal(signal(body)?),
        event::Body::Account(body) => Body::Account(account_event::account(body)?),
        event::Body::Promotion(body) => Body::Promotion(broadcast_event::promotion(body)?),
        event::Body::Market(body) => Body::Market(broadcast_event::market(body)?),
        event::Body::Control(body) => Body::Control(broadcast_event::control(body)?),
    })
}

fn order(body: proto::OrderEvent) -> Result<Order, Refusal> {
    check::optional_id("order.category", body.category)?;
    check::optional_id("order.channel", body.channel)?;
    Ok(Order {
        kind: order_kind(body.kind)?,
        order_id: check::id("order.order_id", body.order_id)?,
        side: check::word_or("order.side", body.side, Side::from_index, Side::Buyer)?,
        purpose: check::word_or("order.purpose", body.purpose, Purpose::from_index, Purpose::Purchase)?,
        currency: check::currency("order.currency", &body.currency)?,
        amount: check::money("order.amount", body.amount)?,
        hold: check::optional_money("order.hold", body.hold)?,
        hold_released: check::optional_money("order.hold_released", body.hold_released)?,
        captured: check::optional_money("order.captured", body.captured)?,
        credit_refunded: check::optional_money("order.credit_refunded", body.credit_refunded)?,
    })
}

fn order_kind(number: i32) -> Result<OrderKind, Refusal> {
    use order_event::Kind;
    check::word("order.kind", number, |index| {
        Some(match Kind::try_from(i32::from(index) + 1).ok()? {
            Kind::Unspecified => return None,
            Kind::Placed => OrderKind::Placed,
            Kind::Paid => OrderKind::Paid,
            Kind::Cancelled => OrderKind::Cancelled,
            Kind::Refunded => OrderKind::Refunded,
            Kind::HoldExpired => OrderKind::HoldExpired,
            Kind::DeclinedForLimit => OrderKind::Declined,
        })
    })
}

fn repayment(body: proto::RepaymentEvent) -> Result<Body, Refusal> {
    let currency = check::currency("repayment.currency", &body.currency)?;
    let kind = repayment_kind(check::present("repayment.kind", body.kind)?)?;
    Ok(Body::Repayment { currency, kind })
}

fn repayment_kind(kind: repayment_event::Kind) -> Result<Repayment, Refusal> {
    use repayment_event::Kind;
    Ok(match kind {
        Kind::StatementIssued(body) => statement_issued(body)?,
        Kind::PaymentPosted(body) => payment_posted(body)?,
        Kind::PaymentCleared(body) => payment_cleared(body)?,
        Kind::PaymentReturned(body) => payment_returned(body)?,
        Kind::OverdueReported(body) => {
            Repayment::OverdueReported { dpd: check::dpd("repayment.overdue_reported.dpd", body.dpd)? }
        }
        Kind::PromiseMade(body) => promise_made(body)?,
        Kind::PromiseBroken(body) => promise_broken(body)?,
        Kind::AutopayChanged(body) => Repayment::AutopayChanged { autopay: body.autopay },
    })
}

fn statement_issued(body: proto::StatementIssued) -> Result<Repayment, Refusal> {
    Ok(Repayment::StatementIssued {
        statement_id: check::id("repayment.statement_issued.statement_id", body.statement_id)?,
        balance: check::signed_money("repayment.statement_issued.balance", body.balance)?,
        min_due: check::money("repayment.statement_issued.min_due", body.min_due)?,
        due_at: check::optional_time("repayment.statement_issued.due_at", body.due_at)?,
    })
}

fn payment_posted(body: proto::PaymentPosted) -> Result<Repayment, Refusal> {
    Ok(Repayment::PaymentPosted {
        payment_id: check::id("repayment.payment_posted.payment_id", body.payment_id)?,
        amount: check::money("repayment.payment_posted.amount", body.amount)?,
        clears_at: check::optional_time("repayment.payment_posted.clears_at", body.clears_at)?,
    })
}

fn payment_cleared(body: proto::PaymentCleared) -> Result<Repayment, Refusal> {
    check::money("repayment.payment_cleared.amount", body.amount)?;
    Ok(Repayment::PaymentCleared { payment_id: check::id("repayment.payment_cleared.payment_id", body.payment_id)? })
}

fn payment_returned(body: proto::PaymentReturned) -> Result<Repayment, Refusal> {
    Ok(Repayment::PaymentReturned {
        payment_id: check::id("repayment.payment_returned.payment_id", body.payment_id)?,
        amount: check::money("repayment.payment_returned.amount", body.amount)?,
    })
}

fn promise_made(body: proto::PromiseMade) -> Result<Repayment, Refusal> {
    check::id("repayment.promise_made.promise_id", body.promise_id)?;
    check::money("repayment.promise_made.amount", body.amount)?;
    check::optional_time("repayment.promise_made.due_at", body.due_at)?;
    Ok(Repayment::PromiseMade)
}

fn promise_broken(body: proto::PromiseBroken) -> Result<Repayment, Refusal> {
    check::id("repayment.promise_broken.promise_id", body.promise_id)?;
    Ok(Repayment::PromiseBroken)
}

fn signal(body: proto::SignalEvent) -> Result<Signal, Refusal> {
    Ok(Signal {
        name: check::id("signal.name", body.name)?,
        value: fact_value(check::present("signal.value", body.value)?, &body.currency)?,
        valid_until: check::optional_time("signal.valid_until", body.valid_until)?,
    })
}

fn fact_value(value: signal_event::Value, currency: &str) -> Result<FactValue, Refusal> {
    use signal_event::Value;
    Ok(match value {
        Value::IntValue(number) => FactValue::Int(number),
        Value::BoolValue(flag) => FactValue::Bool(flag),
        Value::TextValue(word) => FactValue::Text(check::id("signal.text_value", word)?),
        Value::MoneyValue(amount) => {
            let amount = check::money("signal.money_value", amount)?;
            FactValue::Money(amount, check::currency("signal.currency", currency)?)
        }
    })
}
