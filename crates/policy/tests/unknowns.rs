//! The truth tables of unknown and error, for every operator of the language, exhaustively.

use headroom_policy::{
    Cause, Currency, Expect, Fault, Params, Program, Schema, Scope, Slots, Symbol, Type, Value, compile,
};

const CURRENCY: Currency = Currency(*b"CNY");
const MISSING: Value = Value::Unknown(Cause::Missing(2));
const BROKEN: Value = Value::Error(Fault::DivisionByZero);

fn symbol(name: &str, ty: Type) -> Symbol {
    Symbol { name: name.to_owned(), ty, min: 0, max: 0 }
}

/// `x.zero` is 0; `x.yes` is true; `x.int` and `x.bool` are missing.
fn evaluate(text: &str) -> Value {
    let schema = Schema::new(vec![
        symbol("x.zero", Type::Int),
        symbol("x.yes", Type::Bool),
        symbol("x.int", Type::Int),
        symbol("x.bool", Type::Bool),
    ]);
    let params = Params::new();
    let scope = Scope { schema: &schema, params: &params };
    let compiled = compile(text, 0, &scope, Expect::Any);
    let program: Program = compiled.unwrap_or_else(|e| panic!("{text}: {e:?}")).program;
    let mut slots = Slots::new(schema.len());
    slots.set(0, 0);
    slots.set(1, 1);
    let value = program.evaluate(&slots, CURRENCY);
    assert_eq!(program.trace(&slots, CURRENCY).root.value, value, "{text}");
    value
}

/// How an operand ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    False,
    True,
    Unknown,
    Error,
}

use State::{Error, False, True, Unknown};

const STATES: [State; 4] = [False, True, Unknown, Error];

impl State {
    /// A condition that ends like this.
    fn condition(self) -> &'static str {
        match self {
            False => "x.zero != 0",
            True => "x.yes",
            Unknown => "x.int > 0",
            Error => "1 / x.zero > 0",
        }
    }

    /// A number that ends like this; 1 for true, 0 for false.
    fn number(self) -> &'static str {
        match self {
            False => "x.zero",
            True => "(x.zero + 1)",
            Unknown => "x.int",
            Error => "(1 / x.zero)",
        }
    }

    fn value(self) -> Value {
        match self {
            False => Value::Known(0),
            True => Value::Known(1),
            Unknown => MISSING,
            Error => BROKEN,
        }
    }
}

fn and(left: State, right: State) -> State {
    match (left, right) {
        (False, _) | (_, False) => False,
        (Unknown, _) | (_, Unknown) => Unknown,
        (Error, _) | (_, Error) => Error,
        (True, True) => True,
    }
}

fn not(state: State) -> State {
    match state {
        False => True,
        True => False,
        other => other,
    }
}

/// What an operator gives that needs both operands: `None` if both are there.
fn strict(states: &[State]) -> Option<State> {
    [Unknown, Error].into_iter().find(|odd| states.contains(odd))
}

#[test]
fn logic_of_three_operands() {
    for a in STATES {
        assert_eq!(evaluate(&format!("!({})", a.condition())), not(a).value());
        for b in STATES {
            for c in STATES {
                let [x, y, z] = [a, b, c].map(State::condition);
                let all = and(and(a, b), c);
                assert_eq!(evaluate(&format!("({x}) && ({y}) && ({z})")), all.value());
                let any = not(and(and(not(a), not(b)), not(c)));
                assert_eq!(evaluate(&format!("{x} || {y} || {z}")), any.value());
                let mixed = not(and(not(and(a, b)), not(c)));
                assert_eq!(evaluate(&format!("{x} && {y} || {z}")), mixed.value());
            }
        }
    }
}

#[test]
fn operators_that_need_both_operands() {
    let operators = ["+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">="];
    for a in STATES {
        for b in STATES {
            let Some(wanted) = strict(&[a, b]) else {
                continue;
            };
            let (x, y) = (a.number(), b.number());
            let mut texts: Vec<String> = operators.iter().map(|o| format!("{x} {o} {y}")).collect();
            texts.push(format!("min({x}, {y})"));
            texts.push(format!("max({x}, 1, {y})"));
            texts.push(format!("{x} in [1, {y}, 2]"));
            texts.push(format!("{x} in [{x}, {y}]"));
            texts.push(format!("({}) == ({})", a.condition(), b.condition()));
            for text in texts {
                assert_eq!(evaluate(&text), wanted.value(), "{text}");
            }
        }
    }
}

#[test]
fn one_operand() {
    for a in [Unknown, Error] {
        for text in [format!("-{}", a.number()), format!("{} in []", a.number())] {
            assert_eq!(evaluate(&text), a.value(), "{text}");
        }
    }
    assert_eq!(evaluate("x.zero in []"), Value::Known(0));
}

#[test]
fn pct_needs_three_values_and_a_positive_whole() {
    let none = Value::Unknown(Cause::DenominatorNotPositive);
    for a in STATES {
        for b in STATES {
            let text = format!("pct({}, {}) >= 50", a.number(), b.number());
            let wanted = match (a, b) {
                (Unknown, _) => MISSING,
                (_, False) => none,
                _ => strict(&[a, b]).map_or(a.value(), State::value),
            };
            assert_eq!(evaluate(&text), wanted, "{text}");
            let flipped = format!("50 <= pct({}, {})", a.number(), b.number());
            assert_eq!(evaluate(&flipped), wanted, "{flipped}");
        }
    }
    assert_eq!(evaluate("pct(1, -1) < 50"), none);
}

#[test]
fn a_choice_evaluates_one_branch() {
    for condition in STATES {
        for yes in STATES {
            for no in STATES {
                let text = format!("{} ? {} : {}", condition.condition(), yes.number(), no.number());
                let wanted = match condition {
                    True => yes,
                    False => no,
                    odd => odd,
                };
                assert_eq!(evaluate(&text), wanted.value(), "{text}");
            }
        }
    }
}

#[test]
fn has_and_default_know_what_is_missing() {
    for (text, wanted) in [
        ("has(x.int)", Value::Known(0)),
        ("has(x.zero)", Value::Known(1)),
        ("default(x.int, 7)", Value::Known(7)),
        ("default(x.zero, 7)", Value::Known(0)),
        ("default(x.int, x.int)", MISSING),
        ("default(x.int, 1 / x.zero)", BROKEN),
        ("default(x.zero, 1 / x.zero)", Value::Known(0)),
        ("default(x.bool, true) && !default(x.bool, false)", Value::Known(1)),
    ] {
        assert_eq!(evaluate(text), wanted, "{text}");
    }
}
