//! Events, and what they leave behind.

use headroom_wire::{event_from_json, event_to_delimited};

/// One event of an account, at an instant.
pub fn event(account: &str, id: &str, at: &str, body: &str) -> String {
    format!(r#"{{"event_id":"{id}","account_id":"{account}","occurred_at":"{at}",{body}}}"#)
}

/// Opens an account with a base of 10,000.00 CNY.
pub fn opened(account: &str) -> String {
    let body = r#""account":{"opened":{"segment":"SEGMENT_MERCHANT_KEY","tier":"TIER_GOLD","currency":"CNY","base":"1000000"}}"#;
    event(account, &format!("open-{account}"), "2025-11-01T01:00:00Z", body)
}

/// Holds 1.00 CNY.
pub fn order(account: &str, id: &str) -> String {
    order_at(account, id, "2025-11-02T01:00:00Z")
}

/// As above, at an instant.
pub fn order_at(account: &str, id: &str, at: &str) -> String {
    let body = format!(
        r#""order":{{"kind":"KIND_PLACED","order_id":"{id}","side":"SIDE_BUYER","currency":"CNY","amount":"100","hold":"100"}}"#
    );
    event(account, id, at, &body)
}

/// A person sets the limit: one limit change.
pub fn override_to(account: &str, id: &str, base: u64) -> String {
    let body = format!(r#""account":{{"manual_override":{{"base":"{base}","by":"somebody"}}}}"#);
    event(account, id, "2025-11-02T01:00:00Z", &body)
}

/// Freezes it: a limit change, a review and a notice.
pub fn list_hit(account: &str) -> String {
    let body = r#""signal":{"name":"fraud.list_hit","bool_value":true}"#;
    event(account, &format!("hit-{account}"), "2025-11-02T01:00:00Z", body)
}

/// As a delimited protobuf stream.
pub fn delimited(events: &[String]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for event in events {
        event_to_delimited(&event_from_json(event.as_bytes()).unwrap(), &mut bytes);
    }
    bytes
}
