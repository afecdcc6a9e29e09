use super::layer::Layer;
use headroom_wire::ValueFormat;

use super::*;

/// Line, code and message of every finding, in order.
fn findings(text: &str, sets: &[&str]) -> Vec<String> {
    let sets: Vec<String> = sets.iter().map(ToString::to_string).collect();
    let Err(error) = Config::parse("h.toml", text, &sets) else { return Vec::new() };
    let line = |text: &str, at: usize| text[..at].matches('\n').count() + 1;
    let each = |report: &headroom_engine::FileReport| {
        let line = |finding: &headroom_policy::Diagnostic| {
            let help = finding.help.clone().unwrap_or_default();
            format!(
                "{}:{} {} {} | {help}",
                report.path,
                line(&report.text, finding.span.start),
                finding.code,
                finding.message
            )
        };
        report.diagnostics.iter().map(line).collect::<Vec<_>>()
    };
    error.reports.iter().flat_map(each).collect()
}

#[test]
fn every_default_is_read_and_explained() {
    let config = Config::default();
    let defaults = Layer::parse("default.toml", DEFAULT_CONFIG);
    assert!(defaults.findings.is_empty(), "{:?}", defaults.findings);
    let written: Vec<&str> = defaults.entries.iter().map(|entry| entry.key.as_str()).collect();
    let mut read: Vec<&str> = config.sources.keys().map(String::as_str).collect();
    read.sort_by_key(|key| written.iter().position(|each| each == key));
    assert_eq!(read, written);
    let mut above = "";
    for line in DEFAULT_CONFIG.lines() {
        let explained = above.strip_prefix("# ").is_some_and(|text| text.ends_with('.'));
        assert!(explained || line.is_empty() || line.starts_with('#'), "no comment above `{line}`");
        above = line;
    }
    assert!(config.settings().iter().all(|each| each.source == Source::Default));
}

#[test]
fn the_defaults_are_what_they_say() {
    let text = Config::default().to_toml();
    let plain = |text: &str| {
        text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).map(str::to_owned).collect::<Vec<_>>()
    };
    // Canonical units differ from the written ones in one place only; a section without settings is not written.
    let written = DEFAULT_CONFIG.replace("\"60s\"", "\"1m\"").replace("\n[kafka.client]", "");
    assert_eq!(plain(&text), plain(&written));
    let again = Config::parse("again.toml", &text, &[]).unwrap();
    assert_eq!(again.hash(), Config::default().hash());
}

#[test]
fn a_file_stands_above_the_defaults_and_the_command_line_above_the_file() {
    let sets = ["http.listen=127.0.0.1:0", "retention.keep=30d", "log.durability = \"process\"", "lane.timers_max=7"];
    let sets = sets.map(str::to_owned);
    let config = Config::parse("h.toml", "[node]\nshards = 4\n[retention]\nkeep = \"10d\"\n", &sets).unwrap();
    assert_eq!((config.node.shards, config.http.listen.port(), config.lane.timers_max), (4, 0, 7));
    assert_eq!(config.retention.keep.as_secs(), 30 * 86_400);
    assert_eq!(config.store_options().durability, headroom_store::Durability::Process);
    let from = |key: &str| config.settings().into_iter().find(|each| each.key == key).unwrap().source.to_string();
    assert_eq!([from("node.shards"), from("retention.keep"), from("lane.tick")], ["h.toml:2", "--set", "default"]);
    assert!(config.to_toml().contains("shards = 4  # from h.toml:2\n"));
    assert!(config.to_toml().contains("keep = \"30d\"  # from --set\n"));
}

#[test]
fn the_hash_is_of_values_not_of_their_form() {
    let hash = |text: &str| Config::parse("h.toml", text, &[]).unwrap().hash();
    assert_eq!(hash(""), Config::default().hash());
    assert_eq!(hash("[retention]\ntrim_every = \"60000ms\"\n"), hash(""));
    assert_ne!(hash("[retention]\ntrim_every = \"61s\"\n"), hash(""));
    assert_eq!(hash("").len(), 64);
}

#[test]
fn all_errors_come_at_once_with_their_lines() {
    let text = "\
listen = \"127.0.0.1:1\"
http = 5

[node]
shards = 5000
lanse = 2
data_dir = \"\"
instance = \"a b\"

[retentoin]
keep = \"1d\"

[lane]
tick = 5
batch_records = \"many\"
timers_max = 1.5

[retention]
keep = \"90 weeks\"
trim_every = \"1ms\"

[log]
durability = \"fsnc\"
group_records = 99999999999999999999

[store]
block_cache = \"256MB\"
tick = \"1s\"

[telemetry]
spans = \"yes\"
log = \"a=b=c\"
format = \"xml\"
";
    let unit = "write a whole number and a unit, like `\"5s\"`; units are ms, s, m, h, d";
    let size = "write a whole number and a unit, like `\"16MiB\"`; units are B, KiB, MiB, GiB, TiB";
    let expected = [
        "h.toml:1 HR0501 there is no setting `listen` | did you mean `http.listen`?",
        "h.toml:2 HR0502 `http` is a section and has no value of its own | write `[http]`, and the settings below it",
        "h.toml:5 HR0503 `node.shards` cannot be `5000` | write a number from 1 to 1024",
        "h.toml:6 HR0501 there is no setting `node.lanse` | did you mean `node.lanes`?",
        "h.toml:7 HR0502 `node.data_dir` takes a path, not `` | name a directory, in quotes",
        "h.toml:8 HR0503 `node.instance` cannot be `a b` | write up to 64 letters, digits, `.`, `_`, `-`, or nothing",
        "h.toml:10 HR0501 there is no section `retentoin` | did you mean `retention`?",
        &format!("h.toml:14 HR0502 `lane.tick` takes a duration, not a number | {unit}"),
        "h.toml:15 HR0502 `lane.batch_records` takes a whole number, not `many` | write digits only, without quotes",
        "h.toml:16 HR0502 `lane.timers_max` takes a whole number, not a fraction | write digits only, without quotes",
        &format!("h.toml:19 HR0502 `retention.keep` takes a duration, not `90 weeks` | {unit}"),
        "h.toml:20 HR0503 `retention.trim_every` cannot be `1ms` | write a duration from 1s to 1d",
        "h.toml:23 HR0503 `log.durability` cannot be `fsnc` | did you mean `fsync`?",
        "h.toml:24 HR0502 `log.group_records` takes a whole number, not a number beyond 64 bits | write digits only, without quotes",
        &format!("h.toml:27 HR0502 `store.block_cache` takes a size, not `256MB` | {size}"),
        "h.toml:28 HR0501 there is no setting `store.tick` | did you mean `lane.tick`?",
        "h.toml:31 HR0502 `telemetry.spans` takes true or false, not `yes` | write `true` or `false`, without quotes",
        "h.toml:32 HR0502 `telemetry.log` takes a filter of log lines, not `a=b=c` | write levels by module, like `\"info,headroom_node=debug\"`",
        "h.toml:33 HR0503 `telemetry.format` cannot be `xml` | write one of `\"text\"`, `\"json\"`",
    ];
    assert_eq!(findings(text, &[]), expected);
}

#[test]
fn the_command_line_has_findings_of_its_own() {
    let found = findings(
        "[lane]\ntick = 1\n",
        &["lane.tick=2s", "nonsense", "http.listen=here", "lane.batch=[", "node.shards=x"],
    );
    let heads: Vec<String> = found.iter().map(|each| each.split(" | ").next().unwrap_or_default().to_owned()).collect();
    assert_eq!(
        heads[..3],
        [
            "h.toml:2 HR0502 `lane.tick` takes a duration, not a number",
            "--set:1 HR0504 `nonsense` sets nothing",
            "--set:1 HR0502 `http.listen` takes an IP address with a port, not `here`"
        ]
    );
    assert!(heads[3..].iter().any(|each| each.starts_with("--set:1 HR0504 this is no TOML: ")), "{heads:?}");
}

#[test]
fn settings_that_exclude_each_other_are_told_where_the_last_was_set() {
    let remote = "[http]\nlisten = \"0.0.0.0:80\"\n";
    assert!(findings(remote, &[])[0].starts_with("h.toml:2 HR0505 `http.listen` is `0.0.0.0:80`, beyond loopback"));
    assert!(findings(remote, &["http.allow_unauthenticated_remote=true"]).is_empty());
    assert!(findings("[http]\nlisten = \"[::1]:80\"\n", &[]).is_empty());
    let lanes = findings("[node]\nlanes = 3\nshards = 2\n", &[]);
    assert!(
        lanes[0].starts_with("h.toml:3 HR0505 `node.lanes` is 3, more than `node.shards`, which is 2"),
        "{lanes:?}"
    );
    let group = findings("", &["log.group_records=50001"]);
    assert!(group[0].starts_with("--set:1 HR0505 `log.group_records` is 50001"), "{group:?}");
    assert!(findings("[store]\nwrite_buffer = \"1GiB\"\n", &[])[0].starts_with("h.toml:2 HR0505 `store.write_buffer`"));
}

#[test]
fn syntax_errors_keep_the_other_findings() {
    let found = findings("[node]\nshards = = 3\nlanse = 1\nshards = 1\n", &[]);
    assert!(found.iter().any(|each| each.starts_with("h.toml:2 HR0504 this is no TOML: ")), "{found:?}");
    assert!(found.iter().any(|each| each.starts_with("h.toml:3 HR0501 ")), "{found:?}");
}

#[test]
fn a_file_that_cannot_be_read_is_one_finding() {
    let dir = tempfile::tempdir().unwrap();
    let refused = |path: &std::path::Path| Config::load(Some(path), &[]).unwrap_err();
    let missing = refused(&dir.path().join("none.toml"));
    assert_eq!((missing.code(), missing.count()), ("HR0504", 1));
    assert_eq!(missing.to_string(), "the configuration has 1 error");
    assert!(missing.reports[0].render(false).contains("cannot read"), "{missing:?}");
    assert_eq!(refused(dir.path()).code(), "HR0504");
    let large = dir.path().join("large.toml");
    std::fs::write(&large, "#".repeat((1 << 20) + 1)).unwrap();
    assert!(refused(&large).reports[0].diagnostics[0].message.contains("more than 1 MiB"));
    std::fs::write(&large, [0x5b, 0xff]).unwrap();
    assert!(refused(&large).reports[0].diagnostics[0].message.contains("not UTF-8"));
}

#[test]
fn lanes_are_at_most_one_a_shard() {
    let count = |shards: u32, lanes: usize| NodeConfig { shards, lanes, ..Config::default().node }.lane_count();
    assert_eq!([count(1, 0), count(8, 3), count(2, 9)], [1, 3, 2]);
    assert!(count(1024, 0) >= 1);
}

#[test]
fn the_clients_properties_are_passed_on_quoted_or_not() {
    let text = "[kafka]\nbrokers = \"b:1\"\n[kafka.formats]\norders = \"json\"\n[kafka.client]\n\"socket.keepalive.enable\" = true\nqueued.min.messages = 5\n";
    let config = Config::parse("h.toml", text, &["kafka.client.debug=topic,cgrp".to_owned()]).unwrap();
    let client: Vec<_> = config.kafka.client.iter().map(|(key, value)| format!("{key}={value}")).collect();
    assert_eq!(client, ["debug=topic,cgrp", "queued.min.messages=5", "socket.keepalive.enable=true"]);
    assert_eq!(config.kafka.formats.orders, ValueFormat::Json);
    let shown = config.to_toml();
    assert!(shown.contains("\n[kafka.client]\ndebug = \"topic,cgrp\"  # from --set\n"), "{shown}");
    assert!(shown.contains("\"queued.min.messages\" = \"5\"  # from h.toml:7\n"), "{shown}");
    assert_eq!(Config::parse("again.toml", &shown, &[]).unwrap().hash(), config.hash());
}

#[test]
fn what_exactly_once_hangs_on_is_not_for_users_to_set() {
    let text = "[kafka.client]\nacks = 1\n\"sasl.password\" = \"x\"\n\"no.such.thing\" = 1\n\"fetch.wait.max.ms\" = \"soon\"\n[kafka.formats]\nordres = \"json\"\noffers = \"avro\"\n";
    let found = findings(text, &["kafka.client=5"]);
    let expected = [
        "h.toml:2 HR0505 `kafka.client.acks` is not for you to set | leave it out: with another value a commit could be lost with a broker",
        "h.toml:3 HR0505 `kafka.client.sasl.password` is not for you to set | set `kafka.sasl_password_file` instead",
        "h.toml:4 HR0503 `kafka.client.no.such.thing` cannot be `1` | librdkafka says: ",
        "h.toml:5 HR0503 `kafka.client.fetch.wait.max.ms` cannot be `soon` | librdkafka says: ",
        "h.toml:7 HR0501 there is no setting `kafka.formats.ordres` | did you mean `kafka.formats.orders`?",
        "h.toml:8 HR0503 `kafka.formats.offers` cannot be `avro` | write one of `\"protobuf\"`, `\"json\"`, `\"confluent\"`",
        "--set:1 HR0502 `kafka.client` is a section and has no value of its own | write `[kafka.client]`, and the settings below it",
    ];
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "{found}\n{expected}");
    }
    assert_eq!(found.len(), expected.len(), "{found:?}");
}

#[test]
fn settings_of_kafka_that_exclude_each_other_are_told() {
    let code = |sets: &[&str]| findings("", sets).iter().filter(|each| each.starts_with("--set:1 HR0505")).count();
    assert_eq!(code(&["kafka.heartbeat=3s"]), 1);
    assert_eq!(code(&["kafka.profile=development", "kafka.min_insync=2"]), 1);
    assert_eq!(code(&["kafka.commit_every=10s"]), 1);
    assert_eq!(code(&["kafka.security_protocol=sasl_ssl"]), 1);
    assert_eq!(code(&["kafka.ssl_key_file=k.pem"]), 1);
    assert_eq!(code(&["kafka.security_protocol=ssl", "kafka.ssl_ca_file=ca.pem"]), 0);
}
