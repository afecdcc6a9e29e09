use crate::command::line;

#[test]
fn a_page_is_shown_whatever_the_case() {
    let page = line("explain hr0102");
    assert_eq!((page.code, page.stderr.as_str()), (0, ""));
    assert!(page.stdout.starts_with("# HR0102: ") && page.stdout.contains("## What to do"), "{}", page.stdout);
    let json = line("explain HR0102 --format json").json();
    assert_eq!(json["code"], "HR0102");
    assert_eq!(json["title"], "HR0102: the expression does not parse");
    assert_eq!(json["text"].as_str().unwrap().trim_end(), page.stdout.trim_end());
}

#[test]
fn every_code_of_the_language_has_its_page() {
    let rules = headroom_policy::CODES.iter().chain(headroom_engine::RULESET_CODES);
    for (code, title) in rules.chain(headroom_sim::SCENARIO_CODES).chain(headroom_conflicts::CODES) {
        let page = line(&format!("explain {code}"));
        assert_eq!(page.code, 0, "{code}");
        assert!(page.stdout.starts_with(&format!("# {code}: {title}\n")), "{}", page.stdout);
    }
}

#[test]
fn an_unknown_code_gets_a_suggestion() {
    let unknown = line("explain HR01022");
    unknown.refused(1, &["there is no code `HR01022`; did you mean `HR0102`?"]);
    assert_eq!(unknown.stdout, "");
    line("explain nonsense").refused(1, &["there is no code `nonsense`; codes look like"]);
}
