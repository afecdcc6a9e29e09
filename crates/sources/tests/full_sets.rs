//! The full public sets, where they are present. With `CI=true` their absence is a failure.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use headroom_sources::{EventReader, ImportReport, ImportSettings, Mapping, import};
use headroom_wire::proto::order_event::Kind::{Cancelled, Placed};
use headroom_wire::proto::{self, account_event, event::Body, order_event, repayment_event};
use headroom_wire::{Timestamp, event_from_protobuf};

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The set's file, unless it is absent where that is allowed.
fn full_set(name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("HEADROOM_DATA").map_or_else(|| project().join("../shared/data"), PathBuf::from);
    let path = folder.join(name);
    if path.exists() {
        return Some(path);
    }
    assert!(std::env::var("CI").as_deref() != Ok("true"), "`{}` is absent", path.display());
    println!("skipped: `{}` is absent", path.display());
    None
}

fn imported(mapping: &str, input: &Path) -> (ImportReport, Vec<proto::Event>) {
    let mapping = Mapping::load(&project().join("mappings").join(mapping)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("events.pb");
    let report = import(&mapping, input, &output, &ImportSettings::default(), &mut |_| {}).unwrap();
    let mut reader = EventReader::open(&output).unwrap();
    let mut events = Vec::new();
    while let Some(record) = reader.read().unwrap() {
        events.push(event_from_protobuf(record.bytes).unwrap());
    }
    (report, events)
}

fn counts<const N: usize>(counts: [(&str, u64); N]) -> BTreeMap<String, u64> {
    counts.into_iter().map(|(name, count)| (name.to_owned(), count)).collect()
}

fn is_sorted(events: &[proto::Event]) -> bool {
    let time = |event: &proto::Event| event.occurred_at.and_then(Timestamp::to_millis).unwrap();
    events.is_sorted_by_key(time)
}

fn time_of(event: &proto::Event) -> String {
    event.occurred_at.unwrap().to_string()
}

#[test]
fn online_retail_in_full() {
    let Some(input) = full_set("uci_online_retail.csv.gz") else { return };
    let (report, events) = imported("uci-online-retail.yaml", &input);
    println!("{report:?}");
    assert_eq!((report.rows, report.rows_used), (541_909, 406_822));
    assert_eq!(report.refused, counts([("BAD_DEBT_ADJUSTMENT", 3), ("NOT_POSITIVE", 7), ("NO_CUSTOMER", 135_077)]));
    assert_eq!(report.rows, report.rows_used + report.refused.values().sum::<u64>());
    let expected = counts([("account_opened", 4_371), ("order_cancelled", 3_654), ("order_placed", 18_532)]);
    assert_eq!(report.events, expected);
    assert!(is_sorted(&events));

    let total = |wanted: order_event::Kind| -> i64 {
        let orders = events.iter().filter_map(|event| match &event.body {
            Some(Body::Order(order)) => Some(order),
            _ => None,
        });
        orders.filter(|order| order.kind() == wanted).map(|order| order.amount).sum()
    };
    assert_eq!((total(Placed), total(Cancelled)), (891_140_790, 61_134_209));

    let orders = |customer: &str| -> Vec<(String, order_event::Kind, i64)> {
        let of_customer = events.iter().filter(|event| event.account_id == customer);
        let order = |event: &proto::Event| match &event.body {
            Some(Body::Order(order)) => Some((time_of(event), order.kind(), order.amount)),
            _ => None,
        };
        of_customer.filter_map(order).collect()
    };
    let at = |time: &str, kind, amount| (time.to_owned(), kind, amount);
    assert_eq!(
        orders("12346"),
        [at("2011-01-18T10:01:00Z", Placed, 7_718_360), at("2011-01-18T10:17:00Z", Cancelled, 7_718_360),]
    );
    assert_eq!(
        orders("16446"),
        [
            at("2011-05-18T08:52:00Z", Placed, 290),
            at("2011-12-09T09:15:00Z", Placed, 16_846_960),
            at("2011-12-09T09:27:00Z", Cancelled, 16_846_960),
        ]
    );
}

#[test]
fn credit_card_default_in_full() {
    let Some(input) = full_set("uci_credit_card_default_ids_1_20000.csv.gz") else { return };
    let (report, events) = imported("uci-credit-card-default.yaml", &input);
    println!("{report:?}");
    assert_eq!((report.rows, report.rows_used), (20_000, 20_000));
    assert_eq!(report.refused, BTreeMap::new());
    let expected = counts([
        ("account_opened", 20_000),
        ("ledger_snapshot", 20_000),
        ("order_paid", 87_256),
        ("order_refunded", 417),
        ("overdue_reported", 14_925 + 4_269),
        ("payment_posted", 94_659),
        ("statement_issued", 120_000),
    ]);
    assert_eq!(report.events, expected);
    assert!(is_sorted(&events));
    // About 0.4 % of the months with a known spend are refunds.
    assert_eq!(report.events["order_refunded"] * 1000 / 100_000, 4);
    let cures = events.iter().filter(|event| dpd(event) == Some(0)).count();
    assert_eq!(cures, 4_269);
    let months: std::collections::BTreeSet<String> = events.iter().map(time_of).collect();
    let ends = ["04-30", "05-31", "06-30", "07-31", "08-31", "09-30"];
    assert!(months.iter().eq(ends.map(|end| format!("2005-{end}T15:59:59.999Z")).iter()));
}

/// What an account owes, by its snapshot and what moved since, against what its statements say.
#[derive(Default)]
struct Balance {
    snapshot_at: Option<Timestamp>,
    booked: i64,
    stated: i64,
}

impl Balance {
    fn book(&mut self, event: &proto::Event) {
        let later = self.snapshot_at.is_some() && event.occurred_at != self.snapshot_at;
        match &event.body {
            Some(Body::Account(account)) => self.book_snapshot(account),
            Some(Body::Order(order)) => {
                assert!(later, "spend needs two statements");
                self.booked += order.captured.unwrap_or(0) - order.credit_refunded.unwrap_or(0);
            }
            Some(Body::Repayment(repayment)) => match &repayment.kind {
                Some(repayment_event::Kind::PaymentPosted(payment)) if later => self.booked -= payment.amount,
                Some(repayment_event::Kind::StatementIssued(statement)) => self.stated = statement.balance,
                _ => {}
            },
            _ => {}
        }
    }

    fn book_snapshot(&mut self, account: &proto::AccountEvent) {
        if let Some(account_event::Kind::LedgerSnapshot(snapshot)) = &account.kind {
            self.booked = snapshot.balance;
            self.snapshot_at = snapshot.as_of;
        }
    }
}

#[test]
fn spend_and_payments_add_up_to_every_statement() {
    let Some(input) = full_set("uci_credit_card_default_ids_1_20000.csv.gz") else { return };
    let (_, events) = imported("uci-credit-card-default.yaml", &input);
    let mut balances: BTreeMap<&str, Balance> = BTreeMap::new();
    let mut statements = 0;
    for event in &events {
        let balance = balances.entry(&event.account_id).or_default();
        balance.book(event);
        if event.event_id.ends_with("-statement") {
            assert_eq!(balance.booked, balance.stated, "{}", event.event_id);
            statements += balance.stated;
        }
    }
    assert_eq!((balances.len(), statements), (20_000, 526_137_808_700));
}

fn dpd(event: &proto::Event) -> Option<i32> {
    match &event.body {
        Some(Body::Repayment(proto::RepaymentEvent {
            kind: Some(repayment_event::Kind::OverdueReported(overdue)),
            ..
        })) => Some(overdue.dpd),
        _ => None,
    }
}
