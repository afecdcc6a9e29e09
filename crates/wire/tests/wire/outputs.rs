//! Outputs of the engine as the contract writes them.

use std::collections::BTreeMap;

use expect_test::expect;
use headroom_engine::{
    Block, BlockChange, Boost, Broadcasts, Cap, CapName, Cause, ChangeKind, Class, DeadLetter, Hold, HoldOf, HoldUntil,
    LimitChange, NamedValue, Notice, Offer, Output, Overridden, Position, Priority, Promotion, Refusal, RefusalCode,
    Review, RuleNames, RuleRef, Scope, Stack, StackView, Timestamp, Trace, TriggerRef, Undo, UndoField, Verdict,
    Waiver, name_key,
};
use headroom_policy::Currency;
use headroom_wire::{Names, output_from_json, output_to_json, output_to_proto};

const NOW: Timestamp = Timestamp(1_762_805_100_000);
const LATER: Timestamp = Timestamp(1_762_891_500_000);

fn printed(output: &Output) -> String {
    let rules = RuleNames(BTreeMap::from([(1, "promo_compensation".into()), (2, "enrolled_merchant_boost".into())]));
    let broadcasts = Broadcasts {
        promotions: vec![Promotion {
            key: name_key("double11"),
            id: "double11".into(),
            start: NOW,
            end: LATER,
            segments: Vec::new(),
        }],
        ..Broadcasts::default()
    };
    let message = output_to_proto(output, Names { rules: &rules, broadcasts: &broadcasts });
    let mut json = Vec::new();
    output_to_json(&message, &mut json).unwrap();
    assert_eq!(output_from_json(&json).unwrap(), message);
    let value: serde_json::Value = serde_json::from_slice(&json).unwrap();
    serde_json::to_string_pretty(&value).unwrap()
}

fn rule() -> RuleRef {
    RuleRef { id: "promo_compensation".into(), number: 1, hash: "ab".into() }
}

fn trigger() -> TriggerRef {
    let position = Position { input: "file".into(), partition: 1, offset: 7 };
    TriggerRef {
        name: "order_placed".into(),
        event_id: "e".into(),
        source: "oms".into(),
        at: NOW,
        position: Some(position),
    }
}

fn trace() -> Trace {
    let unknown = NamedValue { name: "model.score".into(), value: None, text: String::new() };
    Trace {
        condition: "block.active && has(model.score)".into(),
        features: vec![unknown],
        conditions: vec![("block.active".into(), Verdict::True), ("has(model.score)".into(), Verdict::False)],
        params: vec![NamedValue { name: "p.surge_max".into(), value: Some(150), text: String::new() }],
    }
}

fn stack() -> Stack {
    Stack {
        base: 100_000,
        boosts: vec![Boost {
            amount: 20_000,
            granted: 20_000,
            from: NOW,
            until: LATER,
            rule: 2,
            promotion: name_key("double11"),
            expired: false,
            used_peak: 0,
            steps: None,
        }],
        caps: vec![Cap { name: CapName::Customer, amount: 500_000, until: None }],
        blocks: vec![
            block(Cause::Volatility, Scope::Spend, Some(96_000), 1),
            block(Cause::Manual, Scope::Watch, None, 0),
        ],
        holds: vec![
            Hold { of: HoldOf::Increase, until: HoldUntil::Time(LATER), rule: 2 },
            Hold { of: HoldOf::Boost, until: HoldUntil::Cured { days_after: 30 }, rule: 99 },
        ],
        waivers: vec![Waiver { cause: Cause::Volatility, rule: 1, until: LATER }],
        undo: vec![Undo {
            sequence: 3,
            field: UndoField::Base,
            delta: 5_000,
            cause: Some(Cause::Delinquency),
            rule: 2,
            at: NOW,
        }],
    }
}

fn block(cause: Cause, scope: Scope, ceiling: Option<i64>, rule: u32) -> Block {
    let by = if rule == 0 { "ops-7".to_owned() } else { String::new() };
    Block { cause, scope, ceiling, since: NOW, until: None, granted_before: 120_000, rule, proposed: NOW, by }
}

fn view(stack: Stack) -> StackView {
    let limits = stack.limits(30_000, 1_000, 500, NOW);
    StackView { stack, limits }
}

#[test]
fn a_limit_change_carries_everything() {
    let change = LimitChange {
        id: 0xab,
        account: "M1".into(),
        sequence: 9,
        kind: ChangeKind::BlockChanged,
        currency: Some(Currency(*b"CNY")),
        before: view(Stack { base: 100_000, ..Stack::default() }),
        after: view(stack()),
        block: Some(BlockChange { cause: Cause::Volatility, before: None, after: Some((Scope::Spend, Some(96_000))) }),
        effective_at: NOW,
        expires_at: None,
        reasons: vec!["PROMOTION_SURGE_EXPLAINED".into()],
        rule: Some(rule()),
        ruleset_hash: "cd".into(),
        overridden: vec![Overridden {
            rule: "enrolled_merchant_boost".into(),
            class: Class::Boost,
            by: "promo_compensation".into(),
        }],
        guards_applied: vec!["maximum_step"],
        trigger: trigger(),
        notice_due: Some(LATER),
        trace: Some(trace()),
    };
    expect![[r#"
        {
          "limit_change": {
            "account_id": "M1",
            "after": {
              "available": "65000",
              "base": "100000",
              "blocks": [
                {
                  "by": "promo_compensation",
                  "cause": "CAUSE_VOLATILITY",
                  "ceiling": "96000",
                  "granted_before": "120000",
                  "scope": "SCOPE_SPEND",
                  "since": "2025-11-10T20:05:00Z"
                },
                {
                  "by": "manual:ops-7",
                  "cause": "CAUSE_MANUAL",
                  "granted_before": "120000",
                  "scope": "SCOPE_WATCH",
                  "since": "2025-11-10T20:05:00Z"
                }
              ],
              "boosts": [
                {
                  "amount": "20000",
                  "promotion_id": "double11",
                  "rule_id": "enrolled_merchant_boost",
                  "valid_from": "2025-11-10T20:05:00Z",
                  "valid_until": "2025-11-11T20:05:00Z"
                }
              ],
              "caps": [
                {
                  "amount": "500000",
                  "name": "CAP_NAME_CUSTOMER"
                }
              ],
              "effective": "96000",
              "effective_bound_by": "block:volatility",
              "granted": "120000",
              "granted_bound_by": "boost:enrolled_merchant_boost",
              "holds": [
                {
                  "of": "HOLD_OF_INCREASE",
                  "rule_id": "enrolled_merchant_boost",
                  "until": "2025-11-11T20:05:00Z"
                },
                {
                  "days_after_cure": 30,
                  "of": "HOLD_OF_BOOST",
                  "rule_id": "rule-99",
                  "until_cured": true
                }
              ],
              "spendable": "64500",
              "spendable_bound_by": "uncleared",
              "spendable_cash": "64500",
              "uncleared": "500",
              "undo": [
                {
                  "at": "2025-11-10T20:05:00Z",
                  "cause": "CAUSE_DELINQUENCY",
                  "delta": "5000",
                  "field": "FIELD_BASE",
                  "rule_id": "enrolled_merchant_boost",
                  "sequence": "3"
                }
              ],
              "used": "31000",
              "waivers": [
                {
                  "cause": "CAUSE_VOLATILITY",
                  "rule_id": "promo_compensation",
                  "until": "2025-11-11T20:05:00Z"
                }
              ]
            },
            "before": {
              "available": "69000",
              "base": "100000",
              "effective": "100000",
              "effective_bound_by": "base",
              "granted": "100000",
              "granted_bound_by": "base",
              "spendable": "68500",
              "spendable_bound_by": "uncleared",
              "spendable_cash": "68500",
              "uncleared": "500",
              "used": "31000"
            },
            "block": {
              "cause": "CAUSE_VOLATILITY",
              "ceiling_after": "96000",
              "scope_after": "SCOPE_SPEND"
            },
            "currency": "CNY",
            "effective_at": "2025-11-10T20:05:00Z",
            "guards_applied": [
              "maximum_step"
            ],
            "id": "000000000000000000000000000000ab",
            "kind": "KIND_BLOCK_CHANGED",
            "notice_due": "2025-11-11T20:05:00Z",
            "overridden": [
              {
                "by": "promo_compensation",
                "class": "boost",
                "rule_id": "enrolled_merchant_boost"
              }
            ],
            "reasons": [
              "PROMOTION_SURGE_EXPLAINED"
            ],
            "rule_hash": "ab",
            "rule_id": "promo_compensation",
            "rule_number": 1,
            "ruleset_hash": "cd",
            "sequence": "9",
            "trace": {
              "condition": "block.active && has(model.score)",
              "conditions": [
                {
                  "text": "block.active",
                  "verdict": "VERDICT_TRUE"
                },
                {
                  "text": "has(model.score)",
                  "verdict": "VERDICT_FALSE"
                }
              ],
              "features": [
                {
                  "name": "model.score"
                }
              ],
              "params": [
                {
                  "name": "p.surge_max",
                  "value": "150"
                }
              ]
            },
            "trigger": {
              "at": "2025-11-10T20:05:00Z",
              "event_id": "e",
              "input": "file",
              "name": "order_placed",
              "offset": "7",
              "partition": 1,
              "source": "oms"
            }
          }
        }"#]]
    .assert_eq(&printed(&Output::LimitChange(Box::new(change))));
}

#[test]
fn an_offer() {
    let offer = Offer {
        id: 1,
        account: "A".into(),
        currency: Some(Currency(*b"CNY")),
        class: Class::Increase,
        amount: 5_000,
        created_at: NOW,
        expires_at: LATER,
        rule: rule(),
        reasons: vec!["ON_TIME_REPAYMENT".into()],
        ruleset_hash: "cd".into(),
        trigger: TriggerRef {
            name: "timer:recheck".into(),
            event_id: String::new(),
            source: String::new(),
            at: NOW,
            position: None,
        },
        trace: None,
    };
    expect![[r#"
        {
          "offer": {
            "account_id": "A",
            "amount": "5000",
            "class": "increase",
            "created_at": "2025-11-10T20:05:00Z",
            "currency": "CNY",
            "expires_at": "2025-11-11T20:05:00Z",
            "id": "00000000000000000000000000000001",
            "reasons": [
              "ON_TIME_REPAYMENT"
            ],
            "rule_id": "promo_compensation",
            "ruleset_hash": "cd",
            "trigger": {
              "at": "2025-11-10T20:05:00Z",
              "name": "timer:recheck"
            }
          }
        }"#]]
    .assert_eq(&printed(&Output::Offer(Box::new(offer))));
}

#[test]
fn a_notice() {
    let notice = Notice {
        id: 2,
        account: "A".into(),
        template: "account_restricted".into(),
        public_reasons: vec![],
        internal_reasons: vec!["FRAUD_LIST_HIT".into()],
        text_en: "en".into(),
        text_zh: "中".into(),
        can_do: vec!["verify".into(), "appeal".into()],
        created_at: NOW,
        due: LATER,
        change_id: Some(0xab),
        rule_id: "fraud".into(),
    };
    expect![[r#"
        {
          "notice": {
            "account_id": "A",
            "can_do": [
              "verify",
              "appeal"
            ],
            "change_id": "000000000000000000000000000000ab",
            "created_at": "2025-11-10T20:05:00Z",
            "due": "2025-11-11T20:05:00Z",
            "id": "00000000000000000000000000000002",
            "internal_reasons": [
              "FRAUD_LIST_HIT"
            ],
            "rule_id": "fraud",
            "template": "account_restricted",
            "text_en": "en",
            "text_zh": "中"
          }
        }"#]]
    .assert_eq(&printed(&Output::Notice(Box::new(notice))));
}

#[test]
fn a_review() {
    let review = Review {
        id: 3,
        account: "A".into(),
        kind: "topup".into(),
        blocking: true,
        priority: Priority::High,
        rule_id: "large_order_topup".into(),
        reasons: vec!["LARGE_ORDER_TOPUP".into()],
        created_at: NOW,
        proposal: Some(700),
        currency: None,
        cause: Some(Cause::Fraud),
        detail: "why".into(),
        trigger: trigger(),
        trace: None,
    };
    expect![[r#"
        {
          "review": {
            "account_id": "A",
            "blocking": true,
            "cause": "CAUSE_FRAUD",
            "created_at": "2025-11-10T20:05:00Z",
            "detail": "why",
            "id": "00000000000000000000000000000003",
            "kind": "topup",
            "priority": "PRIORITY_HIGH",
            "proposal": "700",
            "reasons": [
              "LARGE_ORDER_TOPUP"
            ],
            "rule_id": "large_order_topup",
            "trigger": {
              "at": "2025-11-10T20:05:00Z",
              "event_id": "e",
              "input": "file",
              "name": "order_placed",
              "offset": "7",
              "partition": 1,
              "source": "oms"
            }
          }
        }"#]]
    .assert_eq(&printed(&Output::Review(Box::new(review))));
}

#[test]
fn a_dead_letter_keeps_the_original() {
    let letter = DeadLetter {
        refusal: Refusal::new(RefusalCode::Unparseable, "no JSON"),
        account: String::new(),
        original: vec![0xff, 0x00],
        encoding: "json",
        around: Some(headroom_engine::Around::pack(Some(b"M1"), [("ce_id", Some(&b"e1"[..]))])),
        original_sha256: None,
        position: Position { input: "file".into(), partition: 0, offset: 3 },
        at: NOW,
    };
    expect![[r#"
        {
          "dead_letter": {
            "at": "2025-11-10T20:05:00Z",
            "code": "UNPARSEABLE",
            "detail": "no JSON",
            "encoding": "json",
            "headers": {
              "ce_id": "e1"
            },
            "input": "file",
            "key": "TTE=",
            "offset": "3",
            "original": "/wA="
          }
        }"#]]
    .assert_eq(&printed(&Output::DeadLetter(Box::new(letter))));
}
