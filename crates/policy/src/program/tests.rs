use std::collections::BTreeMap;

use super::*;
use crate::schema::Symbol;
use crate::scope::{Constant, Params};
use crate::trace::Verdict;
use crate::value::Fault;

const CNY: Currency = Currency(*b"CNY");
const GBP: Currency = Currency(*b"GBP");

fn schema() -> Schema {
    let tiers = Type::Enum(["none", "silver", "gold"].map(str::to_owned).into());
    let symbols = [
        ("block.active", Type::Bool),
        ("delinquency.dpd", Type::Int),
        ("balance.used", Type::Money),
        ("limit.granted", Type::Money),
        ("account.tier", tiers),
    ];
    let symbols = symbols.map(|(name, ty)| Symbol { name: name.to_owned(), ty, min: 0, max: 0 });
    Schema::new(symbols.into())
}

fn params() -> Params {
    BTreeMap::from([
        ("floor".to_owned(), Constant::Money(vec![(CNY, 500), (GBP, 50)])),
        ("high".to_owned(), Constant::Int(80)),
        ("on".to_owned(), Constant::Bool(true)),
    ])
}

fn program(text: &str) -> Program {
    let (schema, params) = (schema(), params());
    let scope = Scope { schema: &schema, params: &params };
    compile(text, 0, &scope, Expect::Any).unwrap_or_else(|errors| panic!("{text}: {errors:#?}")).program
}

fn slots(values: [Option<i64>; 5]) -> Slots {
    let mut slots = Slots::new(values.len());
    for (slot, value) in values.into_iter().enumerate() {
        if let Some(value) = value {
            slots.set(slot, value);
        }
    }
    slots
}

const FLAGSHIP: &str = "block.active\n  && delinquency.dpd == 0\n  && (pct(balance.used, limit.granted) <= p.high && account.tier in ['gold'])";

#[test]
fn money_parameters_depend_on_the_currency() {
    let program = program("max(balance.used, p.floor) - p.zero");
    let slots = slots([None, None, Some(100), None, None]);
    assert_eq!(program.ty(), &Type::Money);
    assert_eq!(program.evaluate(&slots, CNY), Value::Known(500));
    assert_eq!(program.evaluate(&slots, GBP), Value::Known(100));
    let other = Currency(*b"JPY");
    let unknown = program.evaluate(&slots, other);
    assert_eq!(unknown, Value::Unknown(Cause::Currency));
    assert_eq!(unknown.code(), Some("CURRENCY"));
}

#[test]
fn a_program_says_what_it_reads() {
    let program = program(
        "default(limit.granted, p.floor) > balance.used && has(delinquency.dpd) && default(delinquency.dpd, 3) < 4",
    );
    assert_eq!(program.reads(), [1, 2, 3]);
    assert_eq!(program.name(3), Some("limit.granted"));
    assert_eq!(program.name(0), None);
    let expected = [(3, Value::Unknown(Cause::Currency)), (1, Value::Known(3))];
    assert_eq!(program.defaults(), expected);
}

#[test]
fn linear_means_provable() {
    let yes = ["balance.used * p.high / 100 > p.floor", "delinquency.dpd % 7 + 2 * delinquency.dpd == 3", FLAGSHIP];
    let no = [
        "delinquency.dpd * delinquency.dpd > 1",
        "delinquency.dpd / (delinquency.dpd + 1) > 1",
        "delinquency.dpd / -2 > 1 && block.active",
        "(block.active ? delinquency.dpd % 0 : 1) == 1",
    ];
    for text in yes {
        assert!(program(text).linear(), "{text}");
    }
    for text in no {
        assert!(!program(text).linear(), "{text}");
    }
}

#[test]
fn conjuncts_are_flat_and_in_order() {
    let parts = program(FLAGSHIP).conjuncts();
    let texts: Vec<&str> = parts.iter().map(Program::text).collect();
    assert_eq!(
        texts,
        [
            "block.active",
            "delinquency.dpd == 0",
            "pct(balance.used, limit.granted) <= p.high",
            "account.tier in ['gold']"
        ]
    );
    assert_eq!(parts[2].reads(), [2, 3]);
    assert_eq!(program("block.active").conjuncts().len(), 1);
}

#[test]
fn without_a_slot_its_conjuncts_hold() {
    let whole = program(FLAGSHIP);
    let rest = whole.without(0);
    let slots = slots([None, Some(0), Some(80), Some(100), Some(2)]);
    assert_eq!(whole.evaluate(&slots, CNY), Value::Unknown(Cause::Missing(0)));
    assert!(rest.evaluate(&slots, CNY).is_true());
    assert_eq!(rest.reads(), [1, 2, 3, 4]);
    let nothing = program("block.active").without(0);
    assert!(nothing.evaluate(&slots, CNY).is_true());
    assert_eq!(whole.without(9).reads(), whole.reads());
}

#[test]
fn a_trace_shows_each_condition() {
    let slots = slots([Some(1), None, Some(81), Some(100), Some(2)]);
    let trace = program(FLAGSHIP).trace(&slots, CNY);
    let lines: Vec<String> = trace
        .conditions()
        .map(|c| {
            let right = c.right.map_or(String::new(), |right| right.to_string());
            format!("{} | {} | {right} | {:?}", c.text, c.left, c.verdict)
        })
        .collect();
    assert_eq!(
        lines,
        [
            "block.active | true |  | True",
            "delinquency.dpd == 0 | unknown (NOT_KNOWN) | 0 | Unknown",
            "pct(balance.used, limit.granted) <= p.high | 81 / 100 | 80 | False",
            "account.tier in ['gold'] | \"gold\" |  | True",
        ]
    );
    assert_eq!(trace.root.verdict, Some(Verdict::False));
}

#[test]
fn a_trace_points_into_the_file() {
    let (schema, params) = (schema(), params());
    let scope = Scope { schema: &schema, params: &params };
    let text = "(delinquency.dpd + 1) * 2 > 5 && block.active";
    let compiled = compile(text, 100, &scope, Expect::Bool).expect("it compiles");
    let trace = compiled.program.trace(&slots([None; 5]), CNY);
    let product = &trace.root.children[0].children[0];
    assert_eq!(product.text, "(delinquency.dpd + 1) * 2");
    assert_eq!(product.span, Span { start: 100, end: 125 });
}

/// What the CEL specification says at the edges, by hand.
#[test]
fn edges_of_the_specification() {
    let overflow = Value::Error(Fault::Overflow);
    let zero = Value::Error(Fault::DivisionByZero);
    let cases = [
        ("-9223372036854775808", Value::Known(i64::MIN)),
        ("-9223372036854775808 / -1", overflow),
        ("-9223372036854775808 % -1", overflow),
        ("-(-9223372036854775808)", overflow),
        ("9223372036854775807 + 1", overflow),
        ("-7 / 2", Value::Known(-3)),
        ("-7 % 5", Value::Known(-2)),
        ("7 % -5", Value::Known(2)),
        ("1 / 0", zero),
        ("1 % 0", zero),
        ("10 - 3 - 2", Value::Known(5)),
        ("2 + 3 * 4", Value::Known(14)),
        ("100 / 10 / 5", Value::Known(2)),
        ("true || 1 / 0 == 1", Value::Known(1)),
        ("1 / 0 == 1 || true", Value::Known(1)),
        ("1 / 0 == 1 && false", Value::Known(0)),
        ("true ? 1 : 1 / 0", Value::Known(1)),
        ("false ? 1 : false ? 2 : 3", Value::Known(3)),
        ("0x1F", Value::Known(31)),
        ("-0x10", Value::Known(-16)),
        ("1 < 2 == true", Value::Known(1)),
        ("!true == false", Value::Known(1)),
        ("- 3 + 5", Value::Known(2)),
        ("3 - -5", Value::Known(8)),
        ("1 in [1 / 0, 1]", zero),
        ("'a\\'b' == \"a'b\"", Value::Known(1)),
        ("'\\n' == \"\\n\" // the rest is silence", Value::Known(1)),
    ];
    for (text, wanted) in cases {
        assert_eq!(program(text).evaluate(&slots([None; 5]), CNY), wanted, "{text}");
    }
}
