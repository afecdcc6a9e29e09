use std::fs;

use crate::command::{Ran, folder, headroom};

const SCENARIO: &str = "\
# A list hit freezes everything.
zone Asia/Shanghai
account M1 segment=merchant_key base=1_000_000.00 opened=2024-03-01
2025-11-10T21:00 signal M1 fraud.list_hit=true
";

fn scenario(words: &[&str]) -> Ran {
    headroom(["scenario", "--format", "json"].iter().chain(words))
}

#[test]
fn what_comes_otherwise_is_shown_and_blessed() {
    let dir = folder(&[("a.scn", SCENARIO)]);
    let path = dir.path().join("a.scn");
    let file = path.to_str().unwrap();
    let ran = scenario(&[file]);
    ran.refused(1, &["a.scn:4: 2025-11-10T21:00 signal M1", "+ => block_changed M1 fraud all ceiling 0"]);
    assert_eq!((&ran.json()["passed"], &ran.json()["failed"]), (&0.into(), &1.into()));
    let blessed = scenario(&[file, "--bless"]);
    assert_eq!((blessed.code, blessed.stderr.as_str()), (0, ""));
    assert_eq!(blessed.json()["files"][0]["blessed"], true);
    assert!(fs::read_to_string(&path).unwrap().contains("=> block_changed M1 fraud all ceiling 0 because "));
    let again = scenario(&[file]);
    assert_eq!((again.code, &again.json()["passed"]), (0, &1.into()));
}

#[test]
fn bad_scenarios_are_named() {
    let dir = folder(&[("bad.scn", "2025-11-10T21:00 frobnicate M1\n"), ("lost.scn", "ruleset nowhere  zone UTC\n")]);
    let path = |name: &str| dir.path().join(name).display().to_string();
    let bad = scenario(&[&path("bad.scn")]);
    bad.refused(1, &["error[HR04", "bad.scn:1:"]);
    assert_eq!(bad.json()["files"][0]["passed"], false);
    scenario(&[&path("none.scn")]).refused(1, &["cannot read", "none.scn", "No such file"]);
    scenario(&[&path("lost.scn")]).refused(1, &["cannot read", "nowhere"]);
    scenario(&[&path("bad.scn"), "--rules", "no/rules"]).refused(1, &["cannot read `no/rules`"]);
    scenario(&[]).refused(2, &["<FILE>"]);
}
