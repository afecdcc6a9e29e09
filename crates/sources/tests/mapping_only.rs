//! Sets that exist only here, imported by a mapping file and nothing else.

use std::fs;
use std::path::{Path, PathBuf};

use expect_test::{Expect, expect};
use headroom_sources::{ImportReport, ImportSettings, Mapping, SourceError, import};
use tempfile::TempDir;

/// A savings club: semicolons, decimal commas, days, another zone, another spelling of the header, and a kind of event that
/// no public set has.
const CLUB: &str = r#"
id: club
zone: America/Sao_Paulo
input: {delimiter: ";", encoding: latin-1}
columns:
  member: {type: text, column: Sócio}
  day: {type: time, column: Dia, format: "%d/%m/%Y", precision: day}
  amount: {type: money, column: Valor, scale: 2, point: ",", thousands: "."}
  lenders: {type: integer, column: Credores, optional: true}
refuse:
  - {when: amount == 0, reason: NOTHING_PAID}
account: '"BR-" + member'
once_per_account:
  - id: member + "-opened"
    provenance: synthetic
    body:
      account.opened: {segment: SEGMENT_CONSUMER_NEW, currency: BRL, base: 50000}
emit:
  - id: member + "-" + string(day)
    when: amount > 0
    time: day
    provenance: fact
    body:
      repayment.currency: BRL
      repayment.payment_posted.amount: = amount
  - id: member + "-" + string(day) + "-lenders"
    when: lenders != null
    time: day
    provenance: derived
    body:
      signal.name: lending.lenders_30d
      signal.int_value: = lenders
      signal.valid_until: = utc(day + 86400000)
"#;

const CLUB_ROWS: &str = "Sócio;Nome;Dia;Valor;Credores
7;\"X; Y\";15/10/2017;1.234,50;
8;Z;14/10/2017;0,5;3
7;X;14/10/2017;2,00;
8;Z;16/10/2017;0,00;1
9;Q;16/10/2017;-3,00;
8;Z;31/02/2017;1,00;
8;Z;16/10/2017;1,005;
8;Z
";

struct Place {
    folder: TempDir,
}

impl Place {
    fn new(rows: &str) -> Place {
        let folder = tempfile::tempdir().unwrap();
        let latin_1: Vec<u8> = rows.chars().map(|c| u8::try_from(c).unwrap()).collect();
        fs::write(folder.path().join("set.csv"), latin_1).unwrap();
        Place { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn import(&self, mapping: &str, output: &str, bytes_max: usize) -> Result<ImportReport, SourceError> {
        let mapping = Mapping::parse(mapping, "test.yaml").unwrap();
        let settings = ImportSettings { sort_bytes_max: bytes_max, temporary: self.folder.path().to_owned() };
        import(&mapping, &self.path("set.csv"), &self.path(output), &settings, &mut |_| {})
    }

    fn files(&self) -> Vec<String> {
        let names = fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<String> = names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

#[test]
fn a_third_set_needs_a_mapping_file_and_nothing_else() {
    let place = Place::new(CLUB_ROWS);
    let report = place.import(CLUB, "events.ndjson", 1 << 20).unwrap();
    assert_eq!(report.rows, report.rows_used + report.refused.values().sum::<u64>());
    expect![[r#"
        ImportReport {
            rows: 8,
            rows_used: 3,
            events: {
                "account_opened": 2,
                "payment_posted": 3,
                "signal": 1,
            },
            refused: {
                "BAD_ROW": 1,
                "BAD_VALUE": 2,
                "NOTHING_PAID": 1,
                "NO_EVENT": 1,
            },
            first_refused: {
                "BAD_ROW": FirstRefusal {
                    row: 8,
                    detail: "2 cells, the header has 5",
                },
                "BAD_VALUE": FirstRefusal {
                    row: 6,
                    detail: "column `Dia`: `31/02/2017`",
                },
                "NOTHING_PAID": FirstRefusal {
                    row: 4,
                    detail: "",
                },
                "NO_EVENT": FirstRefusal {
                    row: 5,
                    detail: "",
                },
            },
        }
    "#]]
    .assert_debug_eq(&report);
    let events = fs::read_to_string(place.path("events.ndjson")).unwrap();
    expect![[r#"
        {"event_id":"8-opened","source":"club","account_id":"BR-8","occurred_at":"2017-10-15T02:59:59.999Z","provenance":"PROVENANCE_SYNTHETIC","time_precision":"TIME_PRECISION_DAY","account":{"opened":{"segment":"SEGMENT_CONSUMER_NEW","currency":"BRL","base":"50000"}}}
        {"event_id":"7-opened","source":"club","account_id":"BR-7","occurred_at":"2017-10-15T02:59:59.999Z","provenance":"PROVENANCE_SYNTHETIC","time_precision":"TIME_PRECISION_DAY","account":{"opened":{"segment":"SEGMENT_CONSUMER_NEW","currency":"BRL","base":"50000"}}}
        {"event_id":"8-1508036399999-lenders","source":"club","account_id":"BR-8","occurred_at":"2017-10-15T02:59:59.999Z","provenance":"PROVENANCE_DERIVED","time_precision":"TIME_PRECISION_DAY","signal":{"name":"lending.lenders_30d","valid_until":"2017-10-16T02:59:59.999Z","int_value":"3"}}
        {"event_id":"8-1508036399999","source":"club","account_id":"BR-8","occurred_at":"2017-10-15T02:59:59.999Z","provenance":"PROVENANCE_FACT","time_precision":"TIME_PRECISION_DAY","repayment":{"currency":"BRL","payment_posted":{"amount":"50"}}}
        {"event_id":"7-1508036399999","source":"club","account_id":"BR-7","occurred_at":"2017-10-15T02:59:59.999Z","provenance":"PROVENANCE_FACT","time_precision":"TIME_PRECISION_DAY","repayment":{"currency":"BRL","payment_posted":{"amount":"200"}}}
        {"event_id":"7-1508119199999","source":"club","account_id":"BR-7","occurred_at":"2017-10-16T01:59:59.999Z","provenance":"PROVENANCE_FACT","time_precision":"TIME_PRECISION_DAY","repayment":{"currency":"BRL","payment_posted":{"amount":"123450"}}}
    "#]].assert_eq(&events);
    assert_eq!(place.files(), ["events.ndjson", "set.csv"]);
}

/// Lines of groups far apart, many accounts, in no order of time.
fn scattered() -> String {
    let line = |number: u32| {
        let (group, day) = (number * 37 % 211, number * 53 % 28 + 1);
        format!("g{group};a{};{day:02}/0{}/2020;{},{:02}\n", group % 17, group % 9 + 1, number % 50, number % 100)
    };
    "by;member;day;amount\n".to_owned() + &(0..2000).map(line).collect::<String>()
}

const SCATTERED: &str = r#"
id: scattered
zone: UTC
input: {delimiter: ";"}
columns:
  by: {type: text}
  member: {type: text}
  day: {type: time, format: "%d/%m/%Y", precision: day}
  amount: {type: money, scale: 2, point: ","}
group:
  by: by
  sum: {total: amount}
account: member
once_per_account:
  - id: member
    provenance: synthetic
    body: {account.opened.currency: EUR}
emit:
  - id: by
    time: day
    provenance: fact
    body: {order.kind: KIND_PAID, order.currency: EUR, order.amount: = total}
"#;

#[test]
fn spilling_gives_the_same_bytes_as_not_spilling() {
    let place = Place::new(&scattered());
    let whole = place.import(SCATTERED, "whole.pb", 64 << 20).unwrap();
    assert_eq!((whole.rows_used, whole.events["order_paid"], whole.events["account_opened"]), (2000, 211, 17));
    for bytes_max in [60_000, 3_000, 0] {
        let spilled = place.import(SCATTERED, "spilled.pb", bytes_max).unwrap();
        assert_eq!(spilled, whole);
        assert_eq!(fs::read(place.path("spilled.pb")).unwrap(), fs::read(place.path("whole.pb")).unwrap());
    }
    assert_eq!(place.files(), ["set.csv", "spilled.pb", "whole.pb"]);
}

#[test]
fn an_account_opens_once_just_before_its_first_event() {
    let place = Place::new(&scattered());
    place.import(SCATTERED, "events.ndjson", 64 << 20).unwrap();
    let mut opened = std::collections::BTreeSet::new();
    let mut instants = Vec::new();
    for line in fs::read_to_string(place.path("events.ndjson")).unwrap().lines() {
        let event = headroom_wire::event_from_json(line.as_bytes()).unwrap();
        let is_opening = matches!(event.body, Some(headroom_wire::proto::event::Body::Account(_)));
        assert_eq!(opened.insert(event.account_id.clone()), is_opening, "{line}");
        instants.push(event.occurred_at.unwrap().to_millis().unwrap());
    }
    assert!(instants.is_sorted());
    assert_eq!(opened.len(), 17);
}

#[test]
fn a_group_takes_its_columns_from_its_first_line_and_its_sum_from_all() {
    let place = Place::new("by;member;day;amount\nx;m;09/01/2020;1,10\ny;m;02/01/2020;5\nx;n;01/01/2020;2,20\n");
    let report = place.import(SCATTERED, "events.ndjson", 1 << 20).unwrap();
    assert_eq!((report.rows_used, report.events["order_paid"]), (3, 2));
    let events = fs::read_to_string(place.path("events.ndjson")).unwrap();
    let last = events.lines().last().unwrap();
    expect![[r#"{"event_id":"x","source":"scattered","account_id":"m","occurred_at":"2020-01-09T23:59:59.999Z","provenance":"PROVENANCE_FACT","time_precision":"TIME_PRECISION_DAY","order":{"kind":"KIND_PAID","currency":"EUR","amount":"330"}}"#]].assert_eq(last);
}

#[test]
fn a_sum_that_overflows_refuses_its_group_and_no_other() {
    let rows =
        "by;member;day;amount\nx;m;01/01/2020;90000000000000000\ny;m;02/01/2020;5\nx;m;01/01/2020;90000000000000000\n";
    let report = Place::new(rows).import(SCATTERED, "events.pb", 1 << 20).unwrap();
    assert_eq!((report.rows_used, report.refused["NOT_COMPUTABLE"]), (1, 2));
}

#[test]
fn every_format_holds_the_same_events() {
    let place = Place::new(&scattered());
    let mut seen = Vec::new();
    for name in ["a.ndjson", "a.jsonl.gz", "a.json.zst", "a.pb", "a.pb.gz", "a.pb.zst"] {
        place.import(SCATTERED, name, 1 << 20).unwrap();
        let mut reader = headroom_sources::EventReader::open(&place.path(name)).unwrap();
        let mut events = Vec::new();
        while let Some(record) = reader.read().unwrap() {
            assert_eq!(record.index, events.len() as u64);
            events.push(match record.encoding {
                headroom_sources::Encoding::Json => headroom_wire::event_from_json(record.bytes).unwrap(),
                headroom_sources::Encoding::Protobuf => headroom_wire::event_from_protobuf(record.bytes).unwrap(),
            });
        }
        seen.push(events);
    }
    assert_eq!(seen[0].len(), 228);
    assert!(seen.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn an_import_that_fails_leaves_nothing_behind() {
    let place = Place::new("member;day\n");
    let error = place.import(SCATTERED, "events.pb", 1 << 20).unwrap_err();
    let text = error.to_string();
    assert!(text.ends_with("/set.csv` does not fit its mapping: no column `amount` in its header"), "{text}");
    let error = place.import(SCATTERED, "events.txt", 1 << 20).unwrap_err();
    assert!(error.to_string().contains("is no event file"), "{error}");
    assert_eq!(place.files(), ["set.csv"]);
}

/// Replaces `part` of the club's mapping and pins the error.
#[track_caller]
fn wrong(part: &str, by: &str, expected: Expect) {
    assert!(CLUB.contains(part), "`{part}`");
    let error = Mapping::parse(&CLUB.replacen(part, by, 1), "club.yaml").err().expect("wrong");
    expected.assert_eq(&error.to_string());
}

#[test]
fn wrong_mappings_say_what_and_where() {
    wrong(
        "zone: America/Sao_Paulo",
        "zone: America/Sao",
        expect!["mapping `club.yaml` line 3: no time zone `America/Sao`"],
    );
    wrong("zone: America/Sao_Paulo", "", expect!["mapping `club.yaml` line 18: missing field `zone`"]);
    wrong(
        "zone: America/Sao_Paulo",
        "zones: UTC",
        expect![
            "mapping `club.yaml` line 3: unknown field `zones`, expected one of id, about, attribution, input, zone, columns, refuse, group, unpivot, let, account, once_per_account, emit"
        ],
    );
    wrong("delimiter: \";\"", "delimiter: \"é\"", expect!["mapping `club.yaml` line 4: `é` is no delimiter"]);
    wrong(
        "encoding: latin-1",
        "encoding: ebcdic",
        expect!["mapping `club.yaml` line 4: unknown variant `ebcdic`, expected one of utf-8, latin-1"],
    );
    wrong(
        "{type: text,",
        "{type: txt,",
        expect!["mapping `club.yaml` line 6: unknown variant `txt`, expected one of text, integer, money, time"],
    );
    wrong(
        "scale: 2, ",
        "",
        expect!["mapping `club.yaml` line 8: column `amount`: money needs `scale`, its digits after the point"],
    );
    wrong(
        "{type: text,",
        "{type: text, scale: 2,",
        expect!["mapping `club.yaml` line 6: column `member`: `scale` does not belong to this type"],
    );
    wrong(
        "point: \",\"",
        "point: \".\"",
        expect!["mapping `club.yaml` line 8: column `amount`: `point` and `thousands` are the same"],
    );
    wrong("%d/%m/%Y", "%m/%Y", expect!["mapping `club.yaml` line 7: time format `%m/%Y`: does not hold a day"]);
    wrong(
        "reason: NOTHING_PAID",
        "reason: nothing",
        expect!["mapping `club.yaml` line 11: reason `nothing` is not in UPPER_CASE"],
    );
    wrong(
        "amount == 0",
        "amonut == 0",
        expect!["mapping `club.yaml` line 11: expression `amonut == 0`: nothing is called `amonut` here"],
    );
    wrong(
        "amount == 0",
        "amount ==",
        expect![
            "mapping `club.yaml` line 11: expression `amount ==`: <input>:1:10: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}"
        ],
    );
    wrong(
        "amount == 0",
        "amount + 1",
        expect!["mapping `club.yaml` line 11: expression `amount + 1`: a condition must be true or false"],
    );
    wrong(
        "amount == 0",
        "member == 0 || member > 0",
        expect![
            "mapping `club.yaml` line 11: expression `member == 0 || member > 0`: found no matching overload for '_>_' applied to '(string, int)'"
        ],
    );
    wrong(
        "amount == 0",
        "size(amount) == 0",
        expect![
            "mapping `club.yaml` line 11: expression `size(amount) == 0`: found no matching overload for 'size' applied to '(int)'"
        ],
    );
    wrong(
        "utc(day",
        "cut(day",
        expect!["mapping `club.yaml` line 33: expression `cut(day + 86400000)`: Undeclared reference to 'cut'"],
    );
    wrong(
        "amount == 0",
        &format!("{}amount == 0{}", "(".repeat(40), ")".repeat(40)),
        expect!["mapping `club.yaml` line 11: expression longer than 4096 bytes or nested deeper than 32"],
    );
    wrong("time: day", "time: amount", expect!["mapping `club.yaml` line 21: `amount` is no time column"]);
    wrong(
        "    time: day\n",
        "",
        expect!["mapping `club.yaml` line 19: `time` is missing: the name of a time column, or `at`"],
    );
    wrong(
        "provenance: derived",
        "provenance: guess",
        expect!["mapping `club.yaml` line 29: unknown variant `guess`, expected one of fact, derived, synthetic"],
    );
    wrong(
        "repayment.payment_posted.amount",
        "repayment.payment_posted.amuont",
        expect![
            "mapping `club.yaml` line 25: body: `repayment.payment_posted.amuont`: unknown field `amuont`, expected one of `payment_id`, `paymentId`, `amount`, `clears_at`, `clearsAt`"
        ],
    );
    wrong(
        "repayment.payment_posted.amount: = amount",
        "repayment.payment_posted.amount: 1.5",
        expect![
            "mapping `club.yaml` line 25: body: `repayment.payment_posted.amount`: data did not match any variant of untagged enum Content"
        ],
    );
    wrong(
        "SEGMENT_CONSUMER_NEW",
        "SEGMENT_CONSUMER_OLD",
        expect![
            "mapping `club.yaml` line 17: body: `account.opened.segment`: unknown variant `SEGMENT_CONSUMER_OLD`, expected one of `SEGMENT_UNSPECIFIED`, `SEGMENT_CONSUMER_NEW`, `SEGMENT_CONSUMER`, `SEGMENT_CONSUMER_PRIME`, `SEGMENT_MERCHANT_NEW`, `SEGMENT_MERCHANT_STANDARD`, `SEGMENT_MERCHANT_KEY`"
        ],
    );
    wrong("signal.name", "order.category", expect!["mapping `club.yaml` line 26: duplicate field `signal`"]);
    wrong("signal.name", "event_id", expect!["mapping `club.yaml` line 31: `event_id` is not a field of the body"]);
    wrong("account: '\"BR-\" + member'", "", expect!["mapping `club.yaml`: `once_per_account` needs `account`"]);
    wrong(
        "emit:",
        "emits:",
        expect![
            "mapping `club.yaml` line 18: unknown field `emits`, expected one of id, about, attribution, input, zone, columns, refuse, group, unpivot, let, account, once_per_account, emit"
        ],
    );
    wrong("id: club", "id: [club", expect!["mapping `club.yaml` line 2: expected string scalar"]);
}

#[test]
fn wrong_steps_say_what_and_where() {
    let mapping = |steps: &str| {
        let text = format!(
            "id: wide\nzone: UTC\ncolumns: {{a: {{type: integer}}, b: {{type: integer}}}}\nunpivot:\n  time: {{format: \"%Y-%m\", \
             precision: month}}\n  steps:\n{steps}\nemit:\n  - {{id: period, time: at, provenance: fact, body: {{signal.int_value: = \
             x}}}}\n"
        );
        Mapping::parse(&text, "wide.yaml").map(|_| ()).map_err(|error| error.to_string())
    };
    let good = "    - {at: 2020-01, values: {x: a}}\n    - {at: 2020-02, values: {x: b}}";
    assert_eq!(mapping(good), Ok(()));
    let pin =
        |from: &str, to: &str, expected: Expect| expected.assert_eq(&mapping(&good.replace(from, to)).unwrap_err());
    pin(
        "2020-02",
        "2020-01",
        expect!["mapping `wide.yaml` line 5: the steps of `unpivot` are not in the order of time"],
    );
    pin("2020-02", "February", expect!["mapping `wide.yaml` line 8: `February` does not fit the time format"]);
    pin("{x: b}", "{x: c}", expect!["mapping `wide.yaml` line 8: no column `c`"]);
    pin("{x: b}", "{y: b}", expect!["mapping `wide.yaml` line 8: every step has the same values as the first"]);
    pin("x: ", "a: ", expect!["mapping `wide.yaml` line 7: `a` is there already"]);
}

fn example(mapping: &str, set: &str) -> String {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mapping = Mapping::load(&project.join("mappings").join(mapping)).unwrap();
    assert_eq!(mapping.attribution.as_ref().unwrap().licence, "CC BY 4.0");
    let folder = tempfile::tempdir().unwrap();
    let set = project.join("examples/data").join(set);
    let output = folder.path().join("events.ndjson");
    let report = import(&mapping, &set, &output, &ImportSettings::default(), &mut |_| {}).unwrap();
    let ImportReport { rows, rows_used, events, refused, .. } = report;
    assert_eq!(rows, rows_used + refused.values().sum::<u64>());
    let first = fs::read_to_string(output).unwrap().lines().take(4).collect::<Vec<_>>().join("\n");
    format!("rows {rows} used {rows_used}\n{events:?}\n{refused:?}\n{first}\n")
}

#[test]
fn the_samples_import() {
    expect![[r#"
        rows 298 used 295
        {"account_opened": 34, "order_cancelled": 6, "order_placed": 40}
        {"BAD_DEBT_ADJUSTMENT": 1, "NOT_POSITIVE": 1, "NO_CUSTOMER": 1}
        {"event_id":"17850-opened","source":"uci-online-retail","account_id":"17850","occurred_at":"2010-12-01T08:26:00Z","provenance":"PROVENANCE_SYNTHETIC","time_precision":"TIME_PRECISION_SECOND","account":{"opened":{"segment":"SEGMENT_CONSUMER","currency":"GBP","base":"1000000"}}}
        {"event_id":"536365","source":"uci-online-retail","account_id":"17850","occurred_at":"2010-12-01T08:26:00Z","provenance":"PROVENANCE_FACT","time_precision":"TIME_PRECISION_SECOND","order":{"kind":"KIND_PLACED","order_id":"536365","side":"SIDE_BUYER","currency":"GBP","amount":"13912"}}
        {"event_id":"536366","source":"uci-online-retail","account_id":"17850","occurred_at":"2010-12-01T08:28:00Z","provenance":"PROVENANCE_FACT","time_precision":"TIME_PRECISION_SECOND","order":{"kind":"KIND_PLACED","order_id":"536366","side":"SIDE_BUYER","currency":"GBP","amount":"2220"}}
        {"event_id":"13047-opened","source":"uci-online-retail","account_id":"13047","occurred_at":"2010-12-01T08:34:00Z","provenance":"PROVENANCE_SYNTHETIC","time_precision":"TIME_PRECISION_SECOND","account":{"opened":{"segment":"SEGMENT_CONSUMER","currency":"GBP","base":"1000000"}}}
    "#]].assert_eq(&example("uci-online-retail.yaml", "online-retail-sample.csv"));
    expect![[r#"
        rows 50 used 50
        {"account_opened": 50, "ledger_snapshot": 50, "order_paid": 215, "order_refunded": 2, "overdue_reported": 36, "payment_posted": 230, "statement_issued": 300}
        {}
        {"event_id":"1-opened","source":"uci-credit-card-default","account_id":"1","occurred_at":"2005-04-30T15:59:59.999Z","provenance":"PROVENANCE_SYNTHETIC","time_precision":"TIME_PRECISION_MONTH","account":{"opened":{"segment":"SEGMENT_CONSUMER","currency":"TWD","base":"2000000"}}}
        {"event_id":"2-opened","source":"uci-credit-card-default","account_id":"2","occurred_at":"2005-04-30T15:59:59.999Z","provenance":"PROVENANCE_SYNTHETIC","time_precision":"TIME_PRECISION_MONTH","account":{"opened":{"segment":"SEGMENT_CONSUMER","currency":"TWD","base":"12000000"}}}
        {"event_id":"3-opened","source":"uci-credit-card-default","account_id":"3","occurred_at":"2005-04-30T15:59:59.999Z","provenance":"PROVENANCE_SYNTHETIC","time_precision":"TIME_PRECISION_MONTH","account":{"opened":{"segment":"SEGMENT_CONSUMER","currency":"TWD","base":"9000000"}}}
        {"event_id":"4-opened","source":"uci-credit-card-default","account_id":"4","occurred_at":"2005-04-30T15:59:59.999Z","provenance":"PROVENANCE_SYNTHETIC","time_precision":"TIME_PRECISION_MONTH","account":{"opened":{"segment":"SEGMENT_CONSUMER","currency":"TWD","base":"5000000"}}}
    "#]].assert_eq(&example("uci-credit-card-default.yaml", "credit-card-default-sample.csv"));
}
