//! Compilation is total: whatever the text, it gives a program or findings inside the text, and never panics.

mod support;

use headroom_policy::{Constant, Currency, Expect, Params, Schema, Scope, Slots, Symbol, Type, compile, render};
use support::generate::{ENUM, Generator, INTS, PARTS, TRUTHS, WHOLES};
use support::random::Random;

const TEXTS: usize = 60_000;
const SEED: u64 = 0xbad_5eed;
/// Pieces that upset lexers and parsers.
const PIECES: [&str; 46] = [
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "\"",
    "'",
    "`",
    "\\",
    "\n",
    "//",
    "?",
    ":",
    ",",
    ".",
    "..",
    "!",
    "-",
    "--",
    "+",
    "*",
    "/",
    "%",
    "&&",
    "||",
    "&",
    "=",
    "==",
    "<=",
    " in ",
    "0",
    "9223372036854775808",
    "0x",
    "1e9",
    "has(",
    "pct(",
    "min(",
    "default(",
    "p.zero",
    "p.x",
    "é",
    "中",
    "\u{0}",
    "true",
    "f.a",
];

fn schema() -> Schema {
    let symbol = |name: &str, ty: Type| Symbol { name: name.to_owned(), ty, min: 0, max: 100 };
    let names: Vec<String> = ENUM.values.iter().map(|&name| name.to_owned()).collect();
    let ints = INTS.iter().chain(&PARTS).chain(&WHOLES);
    let ints = ints.map(|name| symbol(name, Type::Int));
    let truths = TRUTHS.iter().map(|name| symbol(name, Type::Bool));
    let others = [symbol(ENUM.name, Type::Enum(names.into())), symbol("f.cash", Type::Money)];
    Schema::new(ints.chain(truths).chain(others).collect())
}

fn mutated(random: &mut Random) -> String {
    let mut text: Vec<char> = Generator::new(random).any().ours.chars().collect();
    for _ in 0..=random.below(2) {
        let at = random.below(text.len() + 1);
        let end = (at + random.below(6)).min(text.len());
        match random.below(4) {
            0 => drop(text.drain(at..end)),
            1 => {
                let piece: Vec<char> = text[at..end].to_vec();
                let to = random.below(text.len() + 1);
                text.splice(to..to, piece);
            }
            2 => drop(text.splice(at..end, random.pick(&PIECES).chars())),
            _ => drop(text.splice(at..at, random.pick(&PIECES).chars())),
        }
    }
    text.into_iter().collect()
}

#[test]
fn any_text_compiles_or_is_refused() {
    let schema = schema();
    let cny = Currency(*b"CNY");
    let params = Params::from([("x".to_owned(), Constant::Money(vec![(cny, 1)]))]);
    let scope = Scope { schema: &schema, params: &params };
    let slots = Slots::new(schema.len());
    let mut random = Random::new(SEED);
    let (mut compiled, mut refused) = (0, 0);
    for _ in 0..TEXTS {
        let text = mutated(&mut random);
        match compile(&text, 0, &scope, Expect::Any) {
            Ok(fine) => {
                let value = fine.program.evaluate(&slots, cny);
                assert_eq!(fine.program.trace(&slots, cny).root.value, value, "{text}");
                compiled += 1;
            }
            Err(errors) => {
                assert!(!errors.is_empty(), "{text}");
                let inside = errors.iter().all(|e| e.span.start <= e.span.end && e.span.end <= text.len());
                assert!(inside, "{text:?}: {errors:?}");
                let calm = errors.iter().all(|e| !e.message.contains("gave up"));
                assert!(calm, "the parser panicked on {text:?}");
                assert!(render("r", &text, &errors, refused % 2 == 0).contains("HR01"));
                refused += 1;
            }
        }
    }
    println!("{compiled} compiled, {refused} refused");
    assert!(compiled > TEXTS / 30 && refused > TEXTS / 4, "{compiled} compiled, {refused} refused");
}
