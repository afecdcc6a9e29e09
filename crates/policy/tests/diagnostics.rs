//! Every finding of the language, pinned as it is rendered: `invalid/*` beside `invalid/*.stderr`.
//!
//! `UPDATE_EXPECT=1 cargo test -p headroom-policy --test diagnostics` writes the expectations anew.
#![expect(clippy::disallowed_methods, reason = "the crate is pure, its tests read their cases from files")]

use std::fs;
use std::path::{Path, PathBuf};

use expect_test::expect_file;
use headroom_policy::{
    CODES, Constant, Currency, Diagnostic, Expect, Origin, Params, Schema, Scope, Symbol, Type, compile, render, yaml,
};

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("invalid");
    let entries = fs::read_dir(folder).expect("the folder exists");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending != "stderr"));
    paths.sort();
    paths
}

/// What the head of a case declares.
#[derive(Default)]
struct Head {
    symbols: Vec<Symbol>,
    params: Params,
    expect: Option<Expect>,
}

impl Head {
    fn line(&mut self, line: &str) {
        let (name, rest) = line.split_once(": ").expect("`name: type`");
        let words: Vec<&str> = rest.split(' ').collect();
        match (name.strip_prefix("p."), name) {
            (Some(name), _) => _ = self.params.insert(name.to_owned(), parameter(&words)),
            (None, "expect") => self.expect = Some(wanted(rest)),
            (None, _) => self.symbols.push(symbol(name, &words)),
        }
    }
}

fn symbol(name: &str, words: &[&str]) -> Symbol {
    let ty = match words[0] {
        "bool" => Type::Bool,
        "int" => Type::Int,
        "money" => Type::Money,
        _ => Type::Enum(words[1..].iter().map(|&name| name.to_owned()).collect()),
    };
    let range = words.get(1).and_then(|range| range.split_once(".."));
    let (min, max) = range.unwrap_or(("0", "0"));
    Symbol { name: name.to_owned(), ty, min: min.parse().expect("a number"), max: max.parse().expect("a number") }
}

fn parameter(words: &[&str]) -> Constant {
    match words[0] {
        "bool" => Constant::Bool(words[1] == "true"),
        "int" => Constant::Int(words[1].parse().expect("a number")),
        _ => {
            let (code, amount) = words[1].split_once('=').expect("`CODE=amount`");
            let code: Currency = code.parse().expect("a currency");
            Constant::Money(vec![(code, amount.parse().expect("a number"))])
        }
    }
}

fn wanted(word: &str) -> Expect {
    match word {
        "int" => Expect::Int,
        "money" => Expect::Money,
        "int_or_money" => Expect::IntOrMoney,
        _ => Expect::Bool,
    }
}

/// The head's declarations and the byte where the expression begins.
fn head(text: &str) -> (Head, usize) {
    let mut head = Head::default();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let Some(declaration) = line.strip_prefix("//? ") else {
            break;
        };
        head.line(declaration.trim_end());
        at += line.len();
    }
    (head, at)
}

fn findings(head: Head, text: &str, origin: Origin) -> Vec<Diagnostic> {
    let schema = Schema::new(head.symbols);
    let scope = Scope { schema: &schema, params: &head.params };
    match compile(text, origin, &scope, head.expect.unwrap_or(Expect::Bool)) {
        Ok(compiled) => compiled.warnings,
        Err(errors) => errors,
    }
}

fn of_yaml(text: &str) -> Vec<Diagnostic> {
    let mut head = Head::default();
    head.line("account.tier: enum none gold");
    head.line("block.active: bool");
    head.line("delinquency.dpd: int 0..9999");
    match yaml::parse(text) {
        Err(errors) => errors,
        Ok(root) => {
            let when = root.get("when").expect("a condition");
            let text = when.text().expect("a scalar");
            findings(head, text, Origin::from(when.source_map()))
        }
    }
}

#[test]
fn findings_are_rendered_as_pinned() {
    let cases = cases();
    assert!(cases.len() > 30, "{} cases", cases.len());
    let mut seen = Vec::new();
    for path in cases {
        let text = fs::read_to_string(&path).expect("the case can be read");
        let found = if path.extension().is_some_and(|ending| ending == "yaml") {
            of_yaml(&text)
        } else {
            let (declared, start) = head(&text);
            findings(declared, &text[start..], Origin::from(start))
        };
        assert!(!found.is_empty(), "{} is valid", path.display());
        seen.extend(found.iter().map(|finding| finding.code));
        let name = path.file_name().expect("a name").to_string_lossy();
        let rendered = render(&name, &text, &found, false);
        expect_file![path.with_extension("stderr")].assert_eq(&rendered);
    }
    let unseen: Vec<&str> = CODES.iter().map(|(code, _)| *code).filter(|code| !seen.contains(code)).collect();
    assert_eq!(
        unseen,
        ["HR0143", "HR0144"],
        "every other code has a case; the first has a unit test, the other would be a fault of ours"
    );
}
