use crate::command::{headroom, line};

#[test]
fn what_is_no_command_exits_with_2() {
    line("frobnicate").refused(2, &["unrecognized subcommand 'frobnicate'"]);
    line("rules frobnicate").refused(2, &["unrecognized subcommand"]);
    line("import --mapping a.yaml").refused(2, &["--input <FILE>", "--output <FILE>"]);
    line("explain HR0102 --format xml").refused(2, &["invalid value 'xml'"]);
    line("generate --accounts many --days 1 --seed 1 --output x.pb").refused(2, &["invalid value 'many'"]);
    let nothing: [&str; 0] = [];
    assert_eq!(headroom(nothing).code, 2);
}

#[test]
fn help_and_version_go_to_stdout() {
    let help = line("--help");
    assert_eq!((help.code, help.stderr.as_str()), (0, ""));
    for word in ["import", "generate", "rules", "scenario", "account", "explain"] {
        assert!(help.stdout.contains(&format!("\n  {word}")), "{word}: {}", help.stdout);
    }
    assert!(line("--version").stdout.starts_with("headroom "));
}
