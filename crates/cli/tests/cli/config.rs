//! `config show` and `config check`.

use crate::command::{folder, headroom, line};

#[test]
fn what_is_shown_is_a_file_that_checks() {
    let shown = line("config show");
    assert_eq!((shown.code, shown.stderr.as_str()), (0, ""));
    assert!(shown.stdout.contains("[http]\nlisten = \"127.0.0.1:8090\"\n"), "{}", shown.stdout);
    assert!(!shown.stdout.contains('#'), "{}", shown.stdout);
    let dir = folder(&[("h.toml", shown.stdout.as_str())]);
    let file = dir.path().join("h.toml").display().to_string();
    let checked = headroom(["config", "check", &file, "--format", "json"]).json();
    assert_eq!(checked["errors"], 0);
    assert_eq!(checked["config_hash"], line("config show --format json").json()["config_hash"]);
}

#[test]
fn values_tell_where_they_came_from() {
    let dir = folder(&[("h.toml", "[node]\n\nshards = 4\n[retention]\nkeep = \"10d\"\n")]);
    let file = dir.path().join("h.toml").display().to_string();
    let arguments = ["config", "show", "--config", &file, "--set", "retention.keep=30d", "--set", "log.time=recorded"];
    let text = headroom(arguments);
    assert!(text.stdout.contains(&format!("shards = 4  # from {file}:3\n")), "{}", text.stdout);
    assert!(text.stdout.contains("keep = \"30d\"  # from --set\n"), "{}", text.stdout);
    let json = headroom(arguments.iter().chain(&["--format", "json"])).json();
    let settings = &json["settings"];
    assert_eq!(settings["node.shards"]["value"], 4);
    assert_eq!(settings["node.shards"]["source"], format!("{file}:3"));
    assert_eq!(settings["log.time"]["value"], "recorded");
    assert_eq!(settings["lane.tick"]["source"], "default");
}

#[test]
fn a_check_tells_all_findings_with_their_lines() {
    let dir = folder(&[("h.toml", "[node]\nshards = 0\nlanse = 2\n\n[lane]\ntick = \"5 weeks\"\n")]);
    let file = dir.path().join("h.toml").display().to_string();
    let ran = headroom(["config", "check", &file]);
    ran.refused(1, &["error[HR0503]: `node.shards` cannot be `0`", "error[HR0501]: there is no setting `node.lanse`"]);
    ran.refused(1, &["help: did you mean `node.lanes`?", "error[HR0502]: `lane.tick` takes a duration, not `5 weeks`"]);
    ran.refused(1, &[&format!("--> {file}:6:8")]);
    assert_eq!(ran.stdout, "errors       3\nconfig_hash  -\n");
    let json = headroom(["config", "check", &file, "--format", "json"]).json();
    let places: Vec<_> =
        json["diagnostics"].as_array().unwrap().iter().map(|each| (&each["line"], &each["code"])).collect();
    assert_eq!(
        format!("{places:?}"),
        "[(Number(2), String(\"HR0503\")), (Number(3), String(\"HR0501\")), (Number(6), String(\"HR0502\"))]"
    );
}

#[test]
fn wrong_settings_show_nothing() {
    let ran = line("config show --set http.listen=0.0.0.0:80 --set nonsense --config none.toml");
    ran.refused(
        1,
        &["cannot read `none.toml`", "HR0505", "allow_unauthenticated_remote = true", "`nonsense` sets nothing"],
    );
    ran.refused(1, &["error[HR0504]: the configuration has 3 errors\n", "see: headroom explain HR0504"]);
    assert_eq!(ran.stdout, "");
    line("config check").refused(2, &["<FILE>"]);
}
