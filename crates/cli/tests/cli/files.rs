//! `import` and `generate`.

use std::fs;
use std::path::Path;

use crate::command::{Ran, checkout, folder, headroom};

const MAPPING: &str = "\
id: shop
input: {format: csv, delimiter: \",\", encoding: utf-8, header: true}
zone: UTC
columns:
  id: {type: text}
  who: {type: text, optional: true}
  at: {type: time, format: \"%Y-%m-%d\", precision: day}
  amount: {type: integer}
refuse:
  - {when: 'who == \"\"', reason: NOBODY}
account: who
emit:
  - id: id
    time: at
    provenance: fact
    body:
      order.kind: KIND_PLACED
      order.side: SIDE_BUYER
      order.order_id: = id
      order.currency: CNY
      order.amount: = amount
";

fn import(dir: &Path, mapping: &str, input: &str, output: &str, more: &[&str]) -> Ran {
    let path = |name: &str| dir.join(name).display().to_string();
    let (mapping, input, output) = (path(mapping), path(input), path(output));
    let fixed = ["import", "--mapping", &mapping, "--input", &input, "--output", &output];
    headroom(fixed.iter().chain(more))
}

#[test]
fn an_import_tells_what_it_used_and_what_it_refused() {
    let csv = "id,who,at,amount\na,C1,2025-01-02,500\nb,,2025-01-03,5\nc,C2,2025-01-01,x\n";
    let dir = folder(&[("m.yaml", MAPPING), ("s.csv", csv)]);
    let ran = import(dir.path(), "m.yaml", "s.csv", "o.ndjson", &["--format", "json"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let json = ran.json();
    assert_eq!((json["rows"].as_u64(), json["rows_used"].as_u64()), (Some(3), Some(1)));
    assert_eq!(json["events"].to_string(), r#"{"order_placed":1}"#);
    assert_eq!(json["refused"].to_string(), r#"{"BAD_VALUE":1,"NOBODY":1}"#);
    assert_eq!(json["first_refused"]["NOBODY"]["row"], 2);
    let events = fs::read_to_string(dir.path().join("o.ndjson")).unwrap();
    assert_eq!(events.lines().count(), 1);
    assert!(events.contains(r#""account_id":"C1""#), "{events}");
    let table = import(dir.path(), "m.yaml", "s.csv", "o.pb", &[]);
    assert!(table.stdout.contains("rows_used  1\n") && table.stderr.is_empty(), "{}{}", table.stdout, table.stderr);
}

#[test]
fn the_sample_set_imports() {
    let dir = folder(&[]);
    let (mapping, set) =
        (checkout("mappings/uci-online-retail.yaml"), checkout("examples/data/online-retail-sample.csv"));
    let (mapping, set) = (mapping.display().to_string(), set.display().to_string());
    let json = import(dir.path(), &mapping, &set, "o.pb.zst", &["--format", "json"]).json();
    assert!(json["rows_used"].as_u64().unwrap() > 100, "{json}");
    assert!(dir.path().join("o.pb.zst").exists());
}

#[test]
fn bad_input_of_an_import_is_named() {
    let dir = folder(&[
        ("m.yaml", MAPPING),
        ("s.csv", "id,who\na,b\n"),
        ("bad.yaml", "id: [\n"),
        ("flaw.yaml", "id: 1\nx: 2\n"),
    ]);
    let of = |mapping: &str, input: &str, output: &str| import(dir.path(), mapping, input, output, &[]);
    of("none.yaml", "s.csv", "o.pb").refused(1, &["error: cannot read", "none.yaml", "No such file"]);
    of("m.yaml", "none.csv", "o.pb").refused(1, &["error: ", "none.csv", "No such file"]);
    of("bad.yaml", "s.csv", "o.pb").refused(1, &["bad.yaml"]);
    of("flaw.yaml", "s.csv", "o.pb").refused(1, &["flaw.yaml"]);
    of("m.yaml", "s.csv", "o.pb").refused(1, &["does not fit its mapping"]);
    of("m.yaml", "s.csv", "o.csv").refused(2, &["o.csv", "is no event file"]);
    of("m.yaml", "s.csv", "nowhere/o.pb").refused(1, &["does not fit its mapping"]);
    assert!(!dir.path().join("o.pb").exists());
}

fn generate(output: &Path, accounts: &str, days: &str, seed: &str) -> Ran {
    let output = output.display().to_string();
    let plan = ["--accounts", accounts, "--days", days, "--seed", seed];
    headroom(["generate", "--output", &output, "--format", "json"].iter().chain(&plan))
}

#[test]
fn the_same_plan_gives_the_same_bytes() {
    let dir = folder(&[]);
    let paths = ["a.ndjson", "b.ndjson", "c.ndjson"].map(|name| dir.path().join(name));
    let ran = generate(&paths[0], "20", "12", "7");
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    let json = ran.json();
    let counts = json["events_by_type"].as_object().unwrap().values();
    assert_eq!(json["events"].as_u64(), Some(counts.map(|each| each.as_u64().unwrap()).sum()));
    let segments = json["accounts_by_segment"].as_object().unwrap().values();
    assert_eq!(segments.map(|each| each.as_u64().unwrap()).sum::<u64>(), 20);
    assert!(!json["promotions"].as_array().unwrap().is_empty());
    generate(&paths[1], "20", "12", "7");
    generate(&paths[2], "20", "12", "8");
    let [a, b, c] = paths.map(|path| fs::read(path).unwrap());
    assert_eq!(json["bytes"].as_u64(), u64::try_from(a.len()).ok());
    assert!(a == b && a != c);
}

#[test]
fn a_plan_that_is_none_leaves_no_file() {
    let dir = folder(&[]);
    let output = dir.path().join("x.ndjson");
    generate(&output, "5", "0", "1").refused(2, &["`0` days are no season"]);
    generate(&output, "5000000000", "5", "1").refused(2, &["`5000000000` accounts are too many"]);
    generate(&dir.path().join("x.txt"), "5", "5", "1").refused(2, &["x.txt", "is no event file"]);
    generate(&dir.path().join("no/x.pb"), "5", "5", "1").refused(3, &["cannot write"]);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}
