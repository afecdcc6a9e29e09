//! `changes show`: what a run wrote, told to people and to machines.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::command::{Ran, checkout, folder, headroom};

/// Runs the Double-11 example and names its output file.
fn story(dir: &Path, out: &str) -> String {
    let path = |name: &str| dir.join(name).display().to_string();
    let in_checkout = |name: &str| checkout(name).display().to_string();
    let (rules, events) = (in_checkout("rules"), in_checkout("examples/double11.ndjson"));
    let (data, out) = (path(&format!("{out}.data")), path(out));
    let until = "2025-11-20T00:00:00+08:00";
    let fixed = ["run", "--rules", &rules, "--events", &events, "--data-dir", &data, "--out", &out, "--until", until];
    let ran = headroom(fixed);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    out
}

fn show(file: &str, more: &[&str]) -> Ran {
    headroom(["changes", "show", file].iter().chain(more))
}

#[test]
fn both_formats_of_an_output_file_show_the_same() {
    let dir = folder(&[]);
    let (lines, frames) = (story(dir.path(), "o.ndjson"), story(dir.path(), "o.pb"));
    let (lines, frames) = (show(&lines, &["--format", "json"]), show(&frames, &["--format", "json"]));
    assert_eq!(lines.code, 0, "{}", lines.stderr);
    assert_eq!(lines.json(), frames.json());
    let json = lines.json();
    let first = &json["changes"][0];
    let of = |name: &str| first[name].clone();
    assert_eq!([of("account"), of("kind"), of("event_id")], ["M1", "block_changed volatility", "M1-surge-1"]);
    assert_eq!((of("rule_title_zh"), of("reasons")), ("订单异常波动".into(), vec!["ORDER_VOLATILITY"].into()));
    assert_eq!((&first["before"]["effective"], &first["after"]["effective"]), (&100_000_000.into(), &0.into()));
}

#[test]
fn only_one_account_in_the_zone_that_was_asked_for() {
    let dir = folder(&[]);
    let file = story(dir.path(), "o.pb");
    let ran = show(&file, &["--account", "M2", "--zone", "Asia/Shanghai", "--format", "json"]);
    let json = ran.json();
    let changes = json["changes"].as_array().unwrap();
    assert!(changes.iter().all(|each| each["account"] == "M2"), "{json}");
    let hit: Vec<&Value> = changes.iter().filter(|each| each["rule"] == "list_hit").collect();
    assert_eq!(hit.len(), 1, "{json}");
    assert_eq!(hit[0]["time"], "2025-11-10T21:00:00+08:00");
    assert_eq!(hit[0]["notice"]["template"], "account_restricted");
    assert_eq!(show(&file, &["--account", "M3", "--details"]).stdout, "no changes\n");
}

#[test]
fn a_list_and_a_story_for_people() {
    let dir = folder(&[]);
    let file = story(dir.path(), "o.ndjson");
    let list = show(&file, &[]);
    let words = ["limit", "2025-11-10T12:05:00Z  M1       block_changed volatility  1_000_000.00 → 0.00 CNY"];
    assert!(words.iter().all(|each| list.stdout.contains(each)), "{}", list.stdout);
    let details = show(&file, &["--details"]).stdout;
    assert!(details.starts_with("2025-11-10T12:05:00Z  M1  order_placed M1-surge-1\n"), "{details}");
    for line in [
        "  * volatility block set: spend, ceiling 0.00\n",
        "      limit   1_000_000.00 → 0.00 CNY   100 % → 0 % of granted 1_000_000.00\n",
        "      rule    list_hit · Hit on a fraud list · 命中欺诈名单\n",
        "      notice  The use of your credit is restricted for now; you can still repay. (can: wait, verify, appeal)\n",
    ] {
        assert!(details.contains(line), "no `{line}` in:\n{details}");
    }
}

#[test]
fn a_file_without_outputs_is_named() {
    let dir = folder(&[("e.ndjson", "{\"event_id\":\"e\"}\n"), ("empty.ndjson", "{}\n"), ("x.csv", "")]);
    let path = |name: &str| dir.path().join(name).display().to_string();
    show(&path("e.ndjson"), &[]).refused(1, &["error: record 0 of `", "e.ndjson` is no output: ", "event_id"]);
    show(&path("empty.ndjson"), &[]).refused(1, &["record 0 of `", "empty.ndjson` is no output: it is empty"]);
    show(&path("x.csv"), &[]).refused(2, &["x.csv"]);
    show(&path("none.pb"), &[]).refused(1, &["none.pb", "No such file"]);
    show(&path("e.ndjson"), &["--zone", "Mars/Base"]).refused(2, &["Mars/Base"]);
    let torn = fs::read(story(dir.path(), "o.pb")).unwrap();
    fs::write(dir.path().join("torn.pb"), &torn[..torn.len() - 1]).unwrap();
    show(&path("torn.pb"), &[]).refused(1, &["torn.pb"]);
}
