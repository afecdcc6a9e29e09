//! Every account that `rules conflicts` shows, held up to `rules explain`.

use serde_json::Value;

use crate::command::{checkout, folder, headroom};

/// What `rules explain` says of a rule over facts: whether its condition is true, for the cause if it is asked for one.
fn explained(rule: &str, cause: &Value, facts: &Value) -> bool {
    let (rules, dir) = (checkout("rules"), folder(&[("account.json", &facts.to_string())]));
    let (rules, file) = (rules.to_str().unwrap(), dir.path().join("account.json"));
    let told =
        headroom(["rules", "explain", rule, "--rules", rules, "--account", file.to_str().unwrap(), "--format", "json"]);
    let told = told.json();
    let asked = told["asked"].as_array().expect("it was asked");
    let of_cause: Vec<&Value> = asked.iter().filter(|each| each["cause"] == *cause).collect();
    let counts = if of_cause.is_empty() { asked.iter().collect() } else { of_cause };
    counts.iter().any(|each| each["verdict"] == "true")
}

#[test]
fn explain_confirms_every_witness() {
    let rules = checkout("rules");
    let told = headroom(["rules", "conflicts", rules.to_str().unwrap(), "--format", "json"]).json();
    let shown = ["findings", "settled"].into_iter().flat_map(|list| told[list].as_array().expect("a list"));
    let of_rules = shown.flat_map(|each| each["witness"]["rules"].as_array().cloned().unwrap_or_default());
    let (mut confirmed, mut wrong) = (0, Vec::new());
    for each in of_rules {
        let rule = each["rule"].as_str().expect("an id");
        match explained(rule, &each["cause"], &each["facts"]) == each["holds"] {
            true => confirmed += 1,
            false => wrong.push(each.to_string()),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(confirmed >= 100, "only {confirmed} were shown");
}
