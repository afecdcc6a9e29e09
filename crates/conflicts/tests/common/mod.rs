//! Rules written in one line each, and what an analysis says of them.

use headroom_engine::Ruleset;

/// A rule of `id | family | class | on | when | then`, perhaps with further keys after another `|`; its number is its
/// place in the text.
fn file(number: usize, line: &str) -> (String, String) {
    let parts: Vec<&str> = line.split('|').map(str::trim).collect();
    let [id, family, class, on, when, then] = parts[..6] else { panic!("six parts: {line}") };
    let stated = match class {
        "freeze" | "decrease" | "cap" => "on_unknown: skip\n",
        _ => "",
    };
    let extra = parts.get(6).map_or_else(String::new, |extra| format!("{}\n", extra.replace("; ", "\n")));
    let when = when.replace("OR", "||");
    let text = format!(
        "id: {id}\nnumber: {number}\ntitle: {{en: {id}, zh: {id}}}\nwhy: A test.\nfamily: {family}\nclass: {class}\n\
         on: [{on}]\nwhen: |\n  {when}\nthen: {{{then}}}\nreason: CAUSE_GONE\n{stated}{extra}owner: tests\nsince: 2026-11-22\n"
    );
    (format!("{id}.rule.yaml"), text)
}

/// The files of rules, one a line.
pub fn files(rules: &str) -> Vec<(String, String)> {
    let lines = rules.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.enumerate().map(|(at, line)| file(at + 1, line)).collect()
}

/// A ruleset of rules, one a line. Panics with what is wrong with them.
pub fn ruleset(rules: &str) -> Ruleset {
    loaded(&files(rules))
}

/// A ruleset of files. Panics with what is wrong with them.
pub fn loaded(files: &[(String, String)]) -> Ruleset {
    match Ruleset::load(files) {
        Ok(ruleset) => ruleset,
        Err(reports) => panic!("{}", reports.iter().map(|each| each.render(false)).collect::<String>()),
    }
}
