//! What is taken, what is refused, and how it is named.

use headroom_engine::{
    AccountEvent, Body, Cause, Event, FactValue, OrderKind, Precision, Provenance, Purpose, RefusalCode, Side, Tier,
    Timestamp,
};
use headroom_policy::Currency;
use headroom_wire::{event_from_json, event_from_proto, event_from_protobuf};
use prost::Message;
use serde_json::{Value, json};

use crate::fill::{full, kinds, message};

fn order() -> Value {
    json!({
        "event_id": "e", "source": "oms", "account_id": "A", "occurred_at": "2025-11-10T20:05:00.123456Z",
        "order": {"kind": "KIND_PLACED", "order_id": "o", "currency": "CNY", "amount": "500", "hold": "300"}
    })
}

fn keyed(body: &str, content: Value) -> Value {
    let mut event = order();
    event.as_object_mut().unwrap().remove("order");
    event[body] = content;
    event
}

fn broadcast(body: &str, content: Value) -> Value {
    let mut event = keyed(body, content);
    event.as_object_mut().unwrap().remove("account_id");
    event
}

fn read(json: &Value) -> Result<Event, headroom_engine::Refusal> {
    event_from_proto(event_from_json(json.to_string().as_bytes()).unwrap())
}

fn taken(json: &Value) -> Event {
    read(json).unwrap()
}

#[track_caller]
fn refused(json: &Value, code: RefusalCode, part: &str) {
    let refusal = read(json).unwrap_err();
    assert_eq!(refusal.code, code, "{refusal}");
    assert!(refusal.detail.contains(part), "`{}` lacks `{part}`", refusal.detail);
}

/// The event of `json` with one field, by its JSON pointer, set to something else.
fn with(json: &Value, pointer: &str, value: Value) -> Value {
    let mut changed = json.clone();
    let (parent, field) = pointer.rsplit_once('/').unwrap();
    changed.pointer_mut(parent).unwrap()[field] = value;
    changed
}

#[test]
fn an_order_is_taken_with_milliseconds_and_defaults() {
    let event = taken(&order());
    assert_eq!((event.id.as_str(), event.source.as_str(), &*event.account), ("e", "oms", "A"));
    assert_eq!(event.occurred_at, Timestamp(1_762_805_100_123));
    assert_eq!((event.provenance, event.precision), (Provenance::Fact, Precision::Second));
    let Body::Order(order) = event.body else { panic!("{:?}", event.body) };
    assert_eq!((order.kind, order.side, order.purpose), (OrderKind::Placed, Side::Buyer, Purpose::Purchase));
    assert_eq!((order.currency, order.amount, order.hold), (Currency(*b"CNY"), 500, Some(300)));
    assert_eq!((order.hold_released, order.captured, order.credit_refunded), (None, None, None));
}

#[test]
fn what_is_left_out_has_the_meaning_that_the_contract_names() {
    let opened = keyed("account", json!({"opened": {"segment": "SEGMENT_CONSUMER", "currency": "CNY", "base": 5}}));
    let Body::Account(AccountEvent::Opened { tier, opened_at, .. }) = taken(&opened).body else { panic!() };
    assert_eq!((tier, opened_at), (Tier::None, None));
    let unblock = keyed("account", json!({"manual_unblock": {"by": "op"}}));
    let Body::Account(AccountEvent::ManualUnblock { cause, .. }) = taken(&unblock).body else { panic!() };
    assert_eq!(cause, Cause::Manual);
    let signal = keyed("signal", json!({"name": "fraud.list_hit", "bool_value": true}));
    let Body::Signal(signal) = taken(&signal).body else { panic!() };
    assert_eq!((signal.value, signal.valid_until), (FactValue::Bool(true), None));
}

#[test]
fn the_envelope_is_checked() {
    use RefusalCode::{BadId, NoBody, NoKey, NoTime, UnknownWord};
    let order = order();
    refused(&with(&order, "/event_id", json!("")), NoKey, "`event_id` is missing");
    refused(&with(&order, "/account_id", json!("")), NoKey, "`account_id` is missing");
    refused(&with(&order, "/event_id", json!("e\u{7}")), BadId, "`event_id`");
    refused(&with(&order, "/event_id", json!("e\u{85}")), BadId, "control characters");
    refused(&with(&order, "/account_id", json!("x".repeat(129))), BadId, "`account_id` has 129 bytes");
    refused(&with(&order, "/source", json!("x".repeat(129))), BadId, "`source`");
    refused(&with(&order, "/occurred_at", Value::Null), NoTime, "`occurred_at` is missing");
    refused(&keyed("order", Value::Null), NoBody, "`body` is missing");
    let promotion = broadcast("promotion", json!({"kind": "KIND_ENDED", "promotion_id": "p"}));
    refused(&with(&promotion, "/account_id", json!("A")), BadId, "concerns every account");
    let mut unknown = event_from_json(order.to_string().as_bytes()).unwrap();
    unknown.provenance = 99;
    assert_eq!(event_from_proto(unknown).unwrap_err().code, UnknownWord);
}

#[test]
fn times_outside_the_calendar_are_refused() {
    for (seconds, nanos) in [(253_402_300_800, 0), (-62_135_596_801, 0), (0, -1), (0, 1_000_000_000)] {
        let mut event = event_from_json(order().to_string().as_bytes()).unwrap();
        event.recorded_at = Some(headroom_wire::Timestamp { seconds, nanos });
        let refusal = event_from_proto(event).unwrap_err();
        assert_eq!((refusal.code, refusal.detail.contains("`recorded_at`")), (RefusalCode::NoTime, true));
    }
}

#[test]
fn ids_of_128_bytes_in_any_script_are_taken() {
    let id = "大".repeat(42) + "ab";
    assert_eq!(&*taken(&with(&order(), "/account_id", json!(id))).account, id);
}

#[test]
fn amounts_are_bounded_and_signed_only_where_the_contract_says_so() {
    use RefusalCode::AmountOutOfRange;
    let (max, above) = (json!("1000000000000000"), json!("1000000000000001"));
    for field in ["amount", "hold", "hold_released", "captured", "credit_refunded"] {
        let pointer = format!("/order/{field}");
        taken(&with(&order(), &pointer, max.clone()));
        refused(&with(&order(), &pointer, above.clone()), AmountOutOfRange, &format!("`order.{field}`"));
        refused(&with(&order(), &pointer, json!("-1")), AmountOutOfRange, &format!("`order.{field}` is -1"));
    }
    let statement = json!({"statement_id": "s", "balance": "-1000000000000000", "min_due": "0"});
    let statement = keyed("repayment", json!({"currency": "CNY", "statement_issued": statement}));
    taken(&statement);
    let pointer = "/repayment/statement_issued/balance";
    refused(&with(&statement, pointer, json!("-1000000000000001")), AmountOutOfRange, "balance");
    refused(&with(&statement, "/repayment/statement_issued/min_due", json!("-1")), AmountOutOfRange, "min_due");
    let overdue = keyed("repayment", json!({"currency": "CNY", "overdue_reported": {"dpd": -1}}));
    refused(&overdue, AmountOutOfRange, "`repayment.overdue_reported.dpd` is -1");
}

#[test]
fn words_and_currencies_are_checked() {
    use RefusalCode::{UnknownWord, WrongCurrency};
    refused(&with(&order(), "/order/kind", Value::Null), UnknownWord, "`order.kind` is missing");
    for wrong in ["", "cny", "CN", "CNYX", "C¥"] {
        refused(&with(&order(), "/order/currency", json!(wrong)), WrongCurrency, "`order.currency`");
    }
    let money = keyed("signal", json!({"name": "collateral.value", "money_value": "5"}));
    refused(&money, WrongCurrency, "`signal.currency`");
    let tier = keyed("account", json!({"tier_changed": {}}));
    refused(&tier, UnknownWord, "`account.tier_changed.tier` is missing");
}

#[test]
fn bodies_without_content_are_refused() {
    use RefusalCode::{BadId, NoBody, NoTime, TooLarge};
    refused(&keyed("account", json!({})), NoBody, "`account.kind`");
    refused(&keyed("repayment", json!({"currency": "CNY"})), NoBody, "`repayment.kind`");
    refused(&keyed("signal", json!({"name": "x"})), NoBody, "`signal.value`");
    refused(&broadcast("market", json!({})), NoBody, "`market.kind`");
    refused(&broadcast("control", json!({})), NoBody, "`control.kind`");
    refused(&with(&order(), "/order/order_id", json!("")), BadId, "`order.order_id` is missing");
    let snapshot = keyed("account", json!({"ledger_snapshot": {"currency": "CNY"}}));
    refused(&snapshot, NoTime, "`account.ledger_snapshot.as_of`");
    let block = json!({"manual_block": {"scope": "SCOPE_ALL", "note": "x".repeat(4097)}});
    refused(&keyed("account", block), TooLarge, "`account.manual_block.note` has 4097 bytes");
}

#[test]
fn broadcasts_are_checked() {
    use RefusalCode::{BadId, BadPromotion};
    let holiday = |start: &str, end: &str| {
        broadcast("market", json!({"holiday_calendar": {"holidays": [{"name": "h", "start": start, "end": end}]}}))
    };
    taken(&holiday("2025-10-01T00:00:00Z", "2025-10-08T00:00:00Z"));
    refused(&holiday("2025-10-01T00:00:00Z", "2025-10-01T00:00:00Z"), BadPromotion, "holiday `h`");
    for path in ["/a", "a//b", "../a", "a/..", "a\\b", "C:/a", ""] {
        let files = json!({"content_hash": "x", "files": [{"path": path, "content": ""}]});
        let event = broadcast("control", json!({"ruleset_published": files}));
        refused(&event, BadId, &format!("`{path}` is no relative path"));
    }
}

#[test]
fn every_kind_of_event_is_taken_when_it_is_complete() {
    let descriptor = message("Event");
    for kind in kinds(&descriptor) {
        let mut event = event_from_protobuf(&full(&descriptor, &kind).encode_to_vec()).unwrap();
        let body = kind[0].name();
        if matches!(body, "promotion" | "market" | "control") {
            event.account_id.clear();
        }
        let json = serde_json::to_string(&event).unwrap().replace("\"currency\":\"currency\"", "\"currency\":\"CNY\"");
        let checked = event_from_proto(event_from_json(json.as_bytes()).unwrap()).unwrap();
        let number = usize::from(checked.body.kind_number());
        let order = ["order", "repayment", "signal", "account", "promotion", "market", "control"];
        assert_eq!(order[number - 1], body);
    }
}
