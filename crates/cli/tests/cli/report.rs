//! `run --report` and `report`: the numbers of a run stand in its page, and the page is whole.

use std::path::Path;

use serde_json::Value;

use crate::command::{Ran, checkout, folder, headroom};

const SENT: &str = r#"{"records":900,"accepted":899,"maybe_sent_twice":0,"requests":18,"retries":1,"told_to_wait":0,
"millis":450,"accepted_per_s":1997,"rejected":{"BAD_ID":1},"first_rejected":[],
"request_latency_us":{"p50":1250,"p90":2500,"p99":7130,"p99_9":9000,"max":12345}}"#;

fn path(dir: &Path, name: &str) -> String {
    dir.join(name).display().to_string()
}

/// A season of 60 accounts and a record that is none, in a data directory with its report.
fn run(dir: &Path) -> Ran {
    let season = path(dir, "season.ndjson");
    let plan = ["generate", "--accounts", "60", "--days", "80", "--seed", "5", "--output", &season, "--quiet"];
    assert_eq!(headroom(plan).code, 0);
    std::fs::write(dir.join("torn.ndjson"), "{\"event_id\":\n").unwrap();
    again(dir)
}

fn again(dir: &Path) -> Ran {
    let rules = checkout("rules").display().to_string();
    let [season, torn, data, out, report] =
        ["season.ndjson", "torn.ndjson", "data", "out.ndjson", "run.json"].map(|name| path(dir, name));
    let ran = headroom([
        "run",
        "--rules",
        &rules,
        "--events",
        &season,
        &torn,
        "--data-dir",
        &data,
        "--out",
        &out,
        "--report",
        &report,
        "--format",
        "json",
    ]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    ran
}

fn page(dir: &Path, more: &[&str]) -> String {
    let (report, out) = (path(dir, "run.json"), path(dir, "page.html"));
    let ran = headroom(["report", &report, "--out", &out].iter().chain(more));
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    std::fs::read_to_string(dir.join("page.html")).unwrap()
}

fn sum(counts: &Value) -> u64 {
    counts.as_object().unwrap().values().map(|each| each.as_u64().unwrap()).sum()
}

/// Every element that begins ends, in order.
fn assert_well_formed(page: &str) {
    let mut open: Vec<&str> = Vec::new();
    for part in page.split('<').skip(1) {
        let (tag, _) = part.split_once('>').unwrap_or_else(|| panic!("no end of <{part}"));
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap();
        match tag {
            tag if tag.starts_with('!') || tag.ends_with('/') => {}
            tag if tag.starts_with('/') => assert_eq!(open.pop(), Some(name), "</{name}>"),
            tag => {
                assert_eq!(tag.matches('"').count() % 2, 0, "<{tag}>");
                open.push(name);
            }
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn the_page_has_the_numbers_of_the_run() {
    let dir = folder(&[("send.json", SENT)]);
    let summary = run(dir.path()).json();
    let page = page(dir.path(), &["--http", &path(dir.path(), "send.json")]);
    assert_well_formed(&page);
    let changes = sum(&summary["changes"]);
    assert!(changes > 0 && page.contains(&format!("<p class=\"lead\">{changes} limit changes.")), "{summary}");
    for (kind, count) in summary["changes"].as_object().unwrap() {
        let row = format!("<tr><td>{}</td>", kind.replace('_', " "));
        let row = page.split(&row).nth(1).unwrap_or_else(|| panic!("no row of {kind}"));
        assert!(row.split("</tr>").next().unwrap().ends_with(&format!(">{count}</td>")), "{kind}: {count}");
    }
    for words in ["4 to 30 days past due", "<code>dpd_4_30</code>", "<code>UNPARSEABLE</code>", "7.13 ms", "12.3 ms"] {
        assert!(page.contains(words), "no `{words}`");
    }
    assert!(page.contains(summary["ruleset_hash"].as_str().unwrap()));
    assert!(
        !page.contains("1970") && !page.contains("<script") && !page.contains("http://") && !page.contains("https://")
    );
}

#[test]
fn a_second_run_reports_only_what_was_new_and_says_so() {
    let dir = folder(&[]);
    let records = run(dir.path()).json()["events"].as_u64().unwrap();
    let ran = again(dir.path());
    assert!(
        ran.stderr.contains(&format!("tells of the 0 records that were new; {records} had been")),
        "{}",
        ran.stderr
    );
    let page = page(dir.path(), &[]);
    assert_well_formed(&page);
    assert!(page.contains("Only what was new: 0 records."), "{page}");
}

#[test]
fn a_file_that_is_no_report_is_named() {
    let dir = folder(&[("no.json", "{\"format\":1}"), ("new.json", "{}")]);
    let of = |file: &str, out: &str| headroom(["report", &path(dir.path(), file), "--out", &path(dir.path(), out)]);
    of("none.json", "p.html").refused(1, &["error: cannot read", "none.json"]);
    of("no.json", "p.html").refused(1, &["no.json` is not what `headroom run --report` writes", "missing field"]);
    run(dir.path());
    of("run.json", "nowhere/p.html").refused(1, &["cannot write", "p.html"]);
    let text = std::fs::read_to_string(dir.path().join("run.json")).unwrap();
    std::fs::write(dir.path().join("other.json"), text.replacen("\"format\":1", "\"format\":2", 1)).unwrap();
    of("other.json", "p.html").refused(1, &["has the form 2; this program reads the form 1"]);
    assert!(!dir.path().join("p.html").exists());
}

#[test]
fn a_report_that_cannot_be_written_stops_the_run_before_it_begins() {
    let dir = folder(&[("e.ndjson", "{}\n")]);
    let rules = checkout("rules").display().to_string();
    let [events, data, out, report] =
        ["e.ndjson", "data", "o.ndjson", "nowhere/r.json"].map(|name| path(dir.path(), name));
    let ran = headroom([
        "run",
        "--rules",
        &rules,
        "--events",
        &events,
        "--data-dir",
        &data,
        "--out",
        &out,
        "--report",
        &report,
    ]);
    ran.refused(1, &["cannot write", "r.json"]);
    assert!(!dir.path().join("data").exists());
}
