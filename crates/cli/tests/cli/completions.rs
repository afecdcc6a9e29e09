use crate::command::line;

#[test]
fn every_shell_gets_a_script_with_the_subcommands() {
    for (shell, mark) in
        [("bash", "complete -F _headroom"), ("zsh", "#compdef headroom"), ("fish", "complete -c headroom")]
    {
        let ran = line(&format!("completions {shell}"));
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{shell}");
        assert!(ran.stdout.contains(mark), "{shell}: {}", ran.stdout);
        for word in ["scenario", "config", "completions", "--quiet"] {
            let word = if shell == "fish" { word.trim_start_matches('-') } else { word };
            assert!(ran.stdout.contains(word), "{shell} lacks `{word}`");
        }
    }
}

#[test]
fn another_shell_is_named() {
    line("completions tcsh").refused(2, &["invalid value 'tcsh'", "bash", "zsh", "fish"]);
}
