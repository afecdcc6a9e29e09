//! The same expressions through our evaluator and the `cel` interpreter must mean the same.
//!
//! Unknown is played in CEL by leaving the variable out, which is an error there: CEL's errors and our unknowns
//! behave alike inside `&&`, `||` and `?:`. `min`, `max`, `pct` and `default` are not CEL; for them the generator
//! writes what they mean.

mod support;

use cel::{Context, ExecutionError, Program as Oracle, Value as Seen};
use headroom_policy::{
    Cause, Currency, Expect, Fault, Params, Program, Schema, Scope, Slots, Symbol, Type, Value, compile,
};
use support::generate::{ENUM, Generator, INTS, PARTS, Pair, TRUTHS, WHOLES};
use support::random::Random;

const EXPRESSIONS: usize = 24_000;
const CURRENCY: Currency = Currency(*b"CNY");
const EDGES: [i64; 9] = [i64::MIN, i64::MIN + 1, -100, -1, 0, 1, 7, 100, i64::MAX];

fn schema() -> Schema {
    let names: Vec<String> = ENUM.values.iter().map(|&name| name.to_owned()).collect();
    let int = |name: &&str| symbol(name, Type::Int);
    let ints = INTS.iter().chain(&PARTS).chain(&WHOLES).map(int);
    let truths = TRUTHS.iter().map(|name| symbol(name, Type::Bool));
    let tier = symbol(ENUM.name, Type::Enum(names.into()));
    Schema::new(ints.chain(truths).chain([tier]).collect())
}

fn symbol(name: &str, ty: Type) -> Symbol {
    Symbol { name: name.to_owned(), ty, min: i64::MIN, max: i64::MAX }
}

/// The same facts for both sides; about a fifth of them missing.
struct Facts {
    slots: Slots,
    fields: Vec<(String, Seen)>,
}

fn facts(random: &mut Random, schema: &Schema) -> Facts {
    let mut slots = Slots::new(schema.len());
    let mut fields = Vec::new();
    for slot in 0..schema.len() {
        if random.below(5) == 0 {
            continue;
        }
        let symbol = schema.symbol(slot);
        let (value, seen) = fact(random, symbol);
        slots.set(slot, value);
        fields.push((symbol.name.replace("f.", ""), seen));
    }
    Facts { slots, fields }
}

fn fact(random: &mut Random, symbol: &Symbol) -> (i64, Seen) {
    let small = i64::try_from(random.below(400)).unwrap_or(0) - 100;
    match &symbol.ty {
        Type::Bool => {
            let truth = random.below(2) == 0;
            (i64::from(truth), Seen::Bool(truth))
        }
        Type::Enum(names) => {
            let at = random.below(names.len());
            let seen = Seen::String(names[at].clone().into());
            (i64::try_from(at).unwrap_or(0), seen)
        }
        _ if INTS.contains(&symbol.name.as_str()) => {
            let value = EDGES[random.below(EDGES.len())];
            (value, Seen::Int(value))
        }
        _ => (small, Seen::Int(small)),
    }
}

/// How an evaluation ended, as far as both sides can tell.
#[derive(Debug, PartialEq, Eq)]
enum End {
    Value(i64),
    Missing,
    Overflow,
    Division,
}

fn oracle(expression: &str, facts: &Facts, schema: &Schema) -> End {
    let program = Oracle::compile(expression).expect("the oracle parses what we parse");
    let mut context = Context::default();
    let fields = facts.fields.clone();
    context.add_variable_from_value("f", Seen::Map(cel::objects::Map { map: std::sync::Arc::new(keys(fields)) }));
    match program.execute(&context) {
        Ok(Seen::Bool(truth)) => End::Value(i64::from(truth)),
        Ok(Seen::Int(value)) => End::Value(value),
        Ok(Seen::String(text)) => End::Value(index_of(&text, schema)),
        Ok(other) => panic!("the oracle gave {other:?} for {expression}"),
        Err(ExecutionError::NoSuchKey(_) | ExecutionError::UndeclaredReference(_)) => End::Missing,
        Err(ExecutionError::Overflow(..)) => End::Overflow,
        Err(ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_)) => End::Division,
        Err(other) => panic!("the oracle failed with {other:?} for {expression}"),
    }
}

#[expect(clippy::disallowed_types, reason = "the oracle's maps are hash maps")]
fn keys(fields: Vec<(String, Seen)>) -> std::collections::HashMap<cel::objects::Key, Seen> {
    let key = |name: String| cel::objects::Key::from(name);
    fields.into_iter().map(|(name, value)| (key(name), value)).collect()
}

fn index_of(text: &str, schema: &Schema) -> i64 {
    let slot = schema.slot(ENUM.name).expect("the enum is declared");
    match &schema.symbol(slot).ty {
        Type::Enum(names) => {
            names.iter().position(|name| name == text).map_or(-1, |at| i64::try_from(at).unwrap_or(-1))
        }
        _ => -1,
    }
}

fn ours(value: Value) -> End {
    match value {
        Value::Known(value) => End::Value(value),
        Value::Unknown(_) => End::Missing,
        Value::Error(Fault::Overflow) => End::Overflow,
        Value::Error(Fault::DivisionByZero) => End::Division,
    }
}

/// Two freedoms: an unknown may hide the oracle's error (its interpreter stops at the first error it meets, we let
/// unknown win); and where both sides of `&&` or `||` fail, CEL does not say whose error is the result.
fn agree(ours: &End, oracle: &End, text: &str) -> bool {
    match (ours, oracle) {
        (End::Missing, End::Value(_)) => false,
        (End::Missing, _) => true,
        (End::Overflow | End::Division, End::Overflow | End::Division) if joins(text) => true,
        _ => ours == oracle,
    }
}

fn joins(text: &str) -> bool {
    text.contains("&&") || text.contains("||")
}

fn compiled(pair: &Pair, schema: &Schema) -> Option<Program> {
    let params = Params::new();
    let scope = Scope { schema, params: &params };
    match compile(&pair.ours, 0, &scope, Expect::Any) {
        Ok(compiled) => Some(compiled.program),
        Err(errors) => {
            let bounds = errors.iter().all(|error| error.code == "HR0100");
            assert!(bounds, "{}\n{errors:#?}", pair.ours);
            None
        }
    }
}

#[derive(Default, Debug)]
struct Tally {
    compared: usize,
    too_long: usize,
    values: usize,
    unknowns: usize,
    errors: usize,
}

#[test]
fn expressions_mean_what_cel_says() {
    let schema = schema();
    let mut tally = Tally::default();
    let mut random = Random::new(0x5eed);
    while tally.compared < EXPRESSIONS {
        let pair = Generator::new(&mut random).any();
        match compiled(&pair, &schema) {
            Some(program) => compare(&pair, &program, &schema, &mut random, &mut tally),
            None => tally.too_long += 1,
        }
    }
    println!("{tally:?}");
    assert!(tally.values > EXPRESSIONS / 3, "{tally:?}");
    assert!(tally.unknowns > EXPRESSIONS / 20, "{tally:?}");
    assert!(tally.errors > EXPRESSIONS / 50, "{tally:?}");
}

fn compare(pair: &Pair, program: &Program, schema: &Schema, random: &mut Random, tally: &mut Tally) {
    let facts = facts(random, schema);
    let value = program.evaluate(&facts.slots, CURRENCY);
    let trace = program.trace(&facts.slots, CURRENCY);
    assert_eq!(trace.root.value, value, "trace of {}", pair.ours);
    let (mine, theirs) = (ours(value), oracle(&pair.cel, &facts, schema));
    assert!(
        agree(&mine, &theirs, &pair.ours),
        "{}\n{}\nours {value:?}, oracle {theirs:?}\n{:?}",
        pair.ours,
        pair.cel,
        facts.fields
    );
    tally.compared += 1;
    match value {
        Value::Known(_) => tally.values += 1,
        Value::Unknown(Cause::Missing(slot)) => {
            assert_eq!(facts.slots.get(slot), None, "{}", pair.ours);
            tally.unknowns += 1;
        }
        Value::Unknown(_) => tally.unknowns += 1,
        Value::Error(_) => tally.errors += 1,
    }
}
