//! The scenario language: every event, every form of a time, and what is said of mistakes.

mod common;

use expect_test::expect;
use headroom_engine::{Body, Timestamp, Zone};
use headroom_policy::render;
use headroom_sim::{Scenario, StepKind, bless, compare, parse_scenario, run_bare, run_step};

fn zone() -> Zone {
    Zone::named("Asia/Shanghai").expect("a zone")
}

fn read(text: &str) -> Scenario {
    parse_scenario(text, &zone()).unwrap_or_else(|findings| panic!("{}", render("x.scn", text, &findings, false)))
}

fn times(text: &str) -> Vec<String> {
    let scenario = read(text);
    scenario.steps.iter().map(|each| scenario.clock.write(each.at)).collect()
}

const EVERYTHING: &str = "\
account C1 segment=consumer tier=gold base=10_000.00 opened=2024-03-01 probation=5_000.00
account G1 segment=consumer currency=GBP base=10_000.00
promotion summer 2025-06-10 .. 2025-06-12 segments=consumer,consumer_prime
enrolled C1 summer forecast_daily=5.00
2025-06-01T09:00 order_placed C1 buyer 500.00 hold=500.00 id=o1 precision=second provenance=derived
+1h order_paid C1 buyer 500.00 released=500.00 captured=450.00 id=o1
+1h order_refunded C1 buyer 100.00 credit_refunded=100.00
+1h order_placed C1 buyer 300.00 hold=300.00 purpose=cash
+1h order_cancelled C1 buyer 300.00 hold_released=100.00
+1h order_hold_expired C1 buyer 300.00 released=200.00
+1h order_declined C1 buyer 99_999.00 hold=99_999.00
2025-06-02 statement C1 balance=350.00 min_due=35.00 due=2025-06-20
+1d payment C1 100.00 clears=+2d
+1d cleared C1
+1d returned C1 100.00
2025-06-06 overdue C1 dpd=0 precision=day
2025-06-06 promise_made C1
2025-06-06 promise_broken C1
2025-06-06 autopay C1 true
2025-06-07 signal C1 model.score=700 until=+90d source=bureau
2025-06-07 signal C1 limit.customer_share=20_000.00
2025-06-07 signal C1 fraud.verified=true
2025-06-08 snapshot C1 balance=350.00
2025-06-08 consent C1 true
2025-06-08 block C1 cash ceiling=5.00 until=+1d by=alice
2025-06-08 unblock C1 manual by=alice
2025-06-08 override C1 9_000.00 by=alice
2025-06-08 segment C1 consumer_prime
2025-06-08 tier C1 platinum
2025-06-08 withdrawn C1 summer
2025-06-08 hardship C1 true
2025-06-08 appeal C1
2025-06-08 review_resolved C1 appeal cleared
2025-06-08 offer_answered C1 on_time_streak declined
2025-06-09 promotion_announced winter start=2025-12-01 end=2025-12-03
2025-06-09 promotion_extended summer end=2025-06-13
2025-06-09 promotion_started winter
2025-06-09 promotion_ended winter
2025-06-09 market regime=boom
2025-06-09 holidays national_day 2025-10-01 .. 2025-10-08
2025-06-09 budget CNY 1_000_000.00
2025-06-09 fault_declared F1 since=2025-06-08
2025-06-09 fault_cleared F1 since=2025-06-08 until=2025-06-09
2025-06-09 rollout_rolled_back R1 since=2025-06-08 rule=7
2025-06-10 outcome C1
2025-06-11 closed C1 charged_off=true
until 2025-06-14
";

#[test]
fn every_event_is_read_and_taken() {
    let scenario = read(EVERYTHING);
    let ruleset = common::builtin();
    let run = run_bare(&scenario, &ruleset);
    let refused = run.transcript.entries.iter().filter(|each| each.text.contains("dead_letter"));
    assert_eq!(refused.map(|each| each.text.as_str()).collect::<Vec<_>>(), [""; 0]);
    let mut kinds: Vec<u8> = Vec::new();
    for step in &scenario.steps {
        if let StepKind::Record(event, _) = &step.kind {
            kinds.push(event.body.kind_number());
        }
    }
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(kinds, [1, 2, 3, 4, 5, 6, 7]);
    for size in [1, 7, 1_000] {
        let stepped = run_step(&run, &ruleset, size);
        assert_eq!(stepped.accounts, run.accounts);
        assert_eq!(stepped.outputs, run.outputs.iter().map(|(_, each)| each.clone()).collect::<Vec<_>>());
    }
}

#[test]
fn times_have_every_form() {
    assert_eq!(
        times("consent A true\n2025-01-31T10:00 consent A true\n+1d12h consent A false\n2025-03-01 consent A true\n"),
        ["2025-01-31T10:00", "2025-01-31T10:00", "2025-02-01T22:00", "2025-03-01T00:00"]
    );
    assert_eq!(
        times("2025-01-01..2025-01-03 daily 12:30 consent A true"),
        ["2025-01-01T12:30", "2025-01-02T12:30", "2025-01-03T12:30"]
    );
    assert_eq!(
        times("2025-01-01..2025-03-05 every 30d 09:00 consent A true"),
        ["2025-01-01T09:00", "2025-01-31T09:00", "2025-03-02T09:00"]
    );
    assert_eq!(times("2025-01-01T10:00..2025-01-01T11:00 every 30m consent A true").len(), 3);
}

#[test]
fn a_promotion_starts_and_ends_by_itself_up_to_the_last_line() {
    let text = "promotion p 2025-06-10 .. 2025-06-12\n2025-06-01 consent A true\n2025-06-11 consent A false\n";
    assert_eq!(times(text), ["2025-06-01T00:00", "2025-06-01T00:00", "2025-06-10T00:00", "2025-06-11T00:00"]);
    let ended = format!("{text}until 2025-06-13\n");
    assert_eq!(times(&ended)[4..], ["2025-06-12T00:00", "2025-06-13T00:00"]);
    let extended = format!("{text}2025-06-11 promotion_extended p end=2025-06-12T12:00\nuntil 2025-06-13\n");
    assert_eq!(times(&extended)[5..], ["2025-06-12T12:00", "2025-06-13T00:00"]);
    let stopped = format!("{text}2025-06-11 promotion_ended p\nuntil 2025-06-13\n");
    assert_eq!(times(&stopped)[5..], ["2025-06-13T00:00"]);
}

#[test]
fn amounts_are_in_the_accounts_currency() {
    let scenario = read("2025-06-01 order_placed G1 buyer 1.00\naccount G1 segment=consumer currency=GBP base=5.00\n");
    for step in scenario.steps {
        if let StepKind::Record(event, _) = step.kind
            && let Body::Order(order) = event.body
        {
            assert_eq!((order.currency.to_string(), order.amount), ("GBP".to_owned(), 100));
        }
    }
}

#[test]
fn headers_choose_ruleset_and_zone() {
    let scenario = read("ruleset builtin  zone Europe/London\n2025-06-01 consent A true\n");
    assert_eq!(scenario.ruleset.as_deref(), Some("builtin"));
    assert_eq!(scenario.steps[0].at, Timestamp(1_748_732_400_000));
}

#[test]
fn every_mistake_is_shown_at_once() {
    let text = "\
    => review M1 early
zone Moon/Base
account M1 segment=merchant base=1_000.0
2025-13-01 consent M1 true
2025-06-01 order_placd M1 buyer 5.00
2025-06-01 order_placed M1 buyr 5.00 holt=5.00
+1x consent M1 true
2025-06-01 statement M1 balance=5.00
2025-06-01 consent M1 true false
    ? spendible M1 5.00
2025-06-03..2025-06-01 daily consent M1 true
2025-06-04
";
    let findings = parse_scenario(text, &zone()).expect_err("mistakes");
    expect![[r#"
        error[HR0406]: an expectation needs an event above it
         --> x.scn:1:1
          |
        1 | => review M1 early
          | ^^^^^^^^^^^^^^^^^^

        error[HR0407]: `Moon/Base` cannot stand in a header
         --> x.scn:2:6
          |
        2 | zone Moon/Base
          |      ^^^^^^^^^
          |
          = help: an IANA name like `Asia/Shanghai` is needed

        error[HR0404]: `merchant` cannot stand here
         --> x.scn:3:20
          |
        3 | account M1 segment=merchant base=1_000.0
          |                    ^^^^^^^^
          |
          = help: did you mean `merchant_new`?

        error[HR0404]: `1_000.0` cannot stand here
         --> x.scn:3:34
          |
        3 | account M1 segment=merchant base=1_000.0
          |                                  ^^^^^^^
          |
          = help: an amount is written `1_200.50`

        error[HR0402]: `2025-13-01` is no time
         --> x.scn:4:1
          |
        4 | 2025-13-01 consent M1 true
          | ^^^^^^^^^^
          |
          = help: a time is written `2025-11-10T20:05` or `2025-11-10`

        error[HR0401]: there is no event `order_placd`
         --> x.scn:5:12
          |
        5 | 2025-06-01 order_placd M1 buyer 5.00
          |            ^^^^^^^^^^^
          |
          = help: did you mean `order_placed`?

        error[HR0404]: `buyr` cannot stand here
         --> x.scn:6:28
          |
        6 | 2025-06-01 order_placed M1 buyr 5.00 holt=5.00
          |                            ^^^^
          |
          = help: did you mean `buyer`?

        error[HR0405]: the event takes no `holt=`
         --> x.scn:6:38
          |
        6 | 2025-06-01 order_placed M1 buyr 5.00 holt=5.00
          |                                      ^^^^
          |
          = help: did you mean `hold=`?

        error[HR0402]: `+1x` is no time
         --> x.scn:7:1
          |
        7 | +1x consent M1 true
          | ^^^
          |
          = help: a span is written `15m`, `3h`, `2d` or `1d12h`

        error[HR0403]: `min_due=` is missing
         --> x.scn:8:1
          |
        8 | 2025-06-01 statement M1 balance=5.00
          | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

        error[HR0405]: `false` is one word too many
         --> x.scn:9:28
          |
        9 | 2025-06-01 consent M1 true false
          |                            ^^^^^

        error[HR0404]: there is no `spendible` to look at
          --> x.scn:10:7
           |
        10 |     ? spendible M1 5.00
           |       ^^^^^^^^^
           |
           = help: one of base, granted, effective, available, used, pending, uncleared, spendable, spendable_cash, dpd, status, sequence, fired, beaten is needed

        error[HR0402]: `2025-06-03..2025-06-01` is no time
          --> x.scn:11:1
           |
        11 | 2025-06-03..2025-06-01 daily consent M1 true
           | ^^^^^^^^^^^^^^^^^^^^^^
           |
           = help: a series has one moment at least and 10000 at most

        error[HR0401]: the line says when, but not what
          --> x.scn:12:1
           |
        12 | 2025-06-04
           | ^^^^^^^^^^
    "#]].assert_eq(&render("x.scn", text, &findings, false));
}

#[test]
fn blessing_rewrites_outputs_and_nothing_else() {
    let text = "\
# The desk.
account M1 segment=merchant_standard base=5.00
2025-06-01 block M1 spend   # by hand
      => notice M1 wrong
  # kept
2025-06-02 unblock M1 manual
    ? spendable M1 5.00";
    let (scenario, ruleset) = (read(text), common::builtin());
    let run = run_bare(&scenario, &ruleset);
    assert_eq!(compare(&scenario, &run.transcript).len(), 2);
    let blessed = bless(text, &scenario, &run.transcript);
    expect![[r#"
        # The desk.
        account M1 segment=merchant_standard base=5.00
        2025-06-01 block M1 spend   # by hand
              => block_changed M1 manual spend ceiling 0 because MANUAL_BLOCK
          # kept
        2025-06-02 unblock M1 manual
            => block_changed M1 manual lifted because MANUAL_UNBLOCK
            ? spendable M1 5.00"#]]
    .assert_eq(&blessed);
    let again = read(&blessed);
    assert_eq!(compare(&again, &run_bare(&again, &ruleset).transcript), []);
}

#[test]
fn a_list_is_a_line_for_each_of_its_values() {
    let scenario = read(
        "account M1 segment=merchant_key base=1.00\n2025-01-05 payment M1 '500 5.50x2 _ 7' every 30d\n\
         payments: '1 2' every 1d\n2025-03-01..2025-03-03 daily 10:00 order_placed M1 seller '1 _ 3' hold='4 5 6'\n",
    );
    let shown: Vec<String> = scenario
        .steps
        .iter()
        .filter_map(|each| match &each.kind {
            StepKind::Record(event, _) => match &event.body {
                Body::Repayment {
                    kind: headroom_engine::Repayment::PaymentPosted { amount, payment_id, .. }, ..
                } => Some(format!("{} {} {payment_id} {amount}", scenario.clock.write(each.at), event.account)),
                Body::Order(order) => {
                    Some(format!("{} {} {:?}", scenario.clock.write(each.at), order.amount, order.hold))
                }
                _ => None,
            },
            StepKind::Until => None,
        })
        .collect();
    expect![[r#"
        [
            "2025-01-05T00:00 M1 payment-2.0 50000",
            "2025-01-05T00:00 M1 payment-3.0 100",
            "2025-01-06T00:00 M1 payment-3.1 200",
            "2025-02-04T00:00 M1 payment-2.1 550",
            "2025-03-01T10:00 100 Some(400)",
            "2025-03-03T10:00 300 Some(600)",
            "2025-03-06T00:00 M1 payment-2.2 550",
            "2025-05-05T00:00 M1 payment-2.4 700",
        ]
    "#]]
    .assert_debug_eq(&shown);
}

#[test]
fn mistakes_in_lists_have_their_place() {
    let text = "payments: '1' every 1d\naccount M1 segment=merchant_key base=1.00\n2025-01-05 payment M1 '500 6'\n\
                2025-01-05 payment M1 500 every 1d\n2025-01-05 payment M1 '1 2' clears='+1d' every 1d\n\
                2025-01-05..2025-01-08 daily payment M1 '1 2'\n2025-01-05 payment M1 'a 2' every 1x\n";
    let findings = parse_scenario(text, &zone()).unwrap_err();
    expect![[r#"
        error[HR0403]: no line above opens an account
         --> x.scn:1:1
          |
        1 | payments: '1' every 1d
          | ^^^^^^^^^
          |
          = help: write `account M1 …` above, or the account behind the event's name without `:`

        error[HR0402]: a list of values needs its rhythm
         --> x.scn:3:1
          |
        3 | 2025-01-05 payment M1 '500 6'
          | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          |
          = help: write it behind the list, like `every 30d`

        error[HR0404]: `every` cannot stand here
         --> x.scn:4:27
          |
        4 | 2025-01-05 payment M1 500 every 1d
          |                           ^^^^^
          |
          = help: behind an event it needs a list of values, like `'500 500 _ 500'`

        error[HR0404]: `clears='+1d'` cannot stand here
         --> x.scn:5:29
          |
        5 | 2025-01-05 payment M1 '1 2' clears='+1d' every 1d
          |                             ^^^^^^^^^^^^
          |
          = help: all lists of a line have the same number of values

        error[HR0402]: the list has 2 values for 4 moments
         --> x.scn:6:1
          |
        6 | 2025-01-05..2025-01-08 daily payment M1 '1 2'
          | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          |
          = help: the list and the series need the same length; `_` leaves a moment out, `500x6` is six times `500`

        error[HR0404]: `1x` cannot stand here
         --> x.scn:7:35
          |
        7 | 2025-01-05 payment M1 'a 2' every 1x
          |                                   ^^
          |
          = help: a span is written `30d` or `1d12h`
    "#]]
    .assert_eq(&render("x.scn", text, &findings, false));
}
