//! Expressions of a mapping: the Common Expression Language, whose integers are `i64`, so that money stays exact.

use std::collections::BTreeMap;

use cel::common::types::{CelBool, CelInt, CelString};
use cel::common::value::{CowVal, Val};
use cel::context::VariableResolver;
use cel::{Context, ExecutionError, Program};
use headroom_wire::Timestamp;

use super::Flaw;
use super::value::Value;

/// The parser recurses: bounds it well within a thread's stack.
const TEXT_BYTES_MAX: usize = 4096;
const NESTING_MAX: usize = 32;

/// An expression, compiled once per mapping.
#[derive(Debug)]
pub(crate) struct Expression {
    text: String,
    line: u64,
    program: Program,
}

impl Expression {
    /// Compiles `text`; every name in it must be one of `names`.
    pub(super) fn compile(text: &str, line: u64, names: &BTreeMap<String, usize>) -> Result<Expression, Flaw> {
        let wrong = |why: String| Flaw::new(line, format!("expression `{text}`: {why}"));
        if text.len() > TEXT_BYTES_MAX || nesting(text) > NESTING_MAX {
            let bounds = format!("longer than {TEXT_BYTES_MAX} bytes or nested deeper than {NESTING_MAX}");
            return Err(Flaw::new(line, format!("expression {bounds}")));
        }
        let program = Program::compile(text).map_err(|errors| wrong(first_line(&errors.to_string())))?;
        let references = program.references();
        let mut variables = references.variables();
        variables.sort_unstable();
        if let Some(unknown) = variables.into_iter().find(|name| !names.contains_key(*name)) {
            return Err(wrong(format!("nothing is called `{unknown}` here")));
        }
        drop(references);
        Ok(Expression { text: text.to_owned(), line, program })
    }

    /// That it cannot work, and why.
    pub(super) fn flaw(&self, why: &str) -> Flaw {
        Flaw::new(self.line, format!("expression `{}`: {why}", self.text))
    }
}

fn nesting(text: &str) -> usize {
    let depth = |(depth, deepest): (usize, usize), byte: u8| match byte {
        b'(' | b'[' | b'{' => (depth + 1, deepest.max(depth + 1)),
        b')' | b']' | b'}' => (depth.saturating_sub(1), deepest),
        _ => (depth, deepest),
    };
    text.bytes().fold((0, 0), depth).1
}

fn first_line(text: &str) -> String {
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    line.trim_start_matches("ERROR: ").trim().to_owned()
}

/// Evaluates a mapping's expressions on rows.
pub(crate) struct Evaluator {
    functions: Context<'static, 'static>,
    names: BTreeMap<String, usize>,
}

impl Evaluator {
    pub(super) fn new(names: BTreeMap<String, usize>) -> Evaluator {
        let mut functions = Context::default();
        functions.add_function("div_round", div_round).expect("no such name in the standard library");
        functions.add_function("utc", utc).expect("no such name in the standard library");
        Evaluator { functions, names }
    }

    /// The value on `row`, or why there is none: overflow, division by zero, a type that does not fit.
    pub(crate) fn evaluate(&self, expression: &Expression, row: &[Value]) -> Result<Value, String> {
        let frame = Frame { names: &self.names, row };
        let mut scope = self.functions.new_inner_scope();
        scope.set_variable_resolver(&frame);
        let value = expression.program.execute(&scope).map_err(|error| error.to_string())?;
        from_cel(value)
    }

    /// Whether it failed for its form (an unknown function, types that do not fit) and not for the numbers of this row.
    pub(super) fn never_works(&self, expression: &Expression, row: &[Value]) -> bool {
        let frame = Frame { names: &self.names, row };
        let mut scope = self.functions.new_inner_scope();
        scope.set_variable_resolver(&frame);
        matches!(
            expression.program.execute(&scope),
            Err(ExecutionError::UndeclaredReference(_)
                | ExecutionError::NoSuchOverload(_)
                | ExecutionError::UnsupportedBinaryOperator(..)
                | ExecutionError::ValuesNotComparable(..)
                | ExecutionError::InvalidArgumentCount { .. }
                | ExecutionError::UnexpectedType { .. })
        )
    }

    /// [`Evaluator::evaluate`] for conditions.
    pub(crate) fn is_true(&self, expression: &Expression, row: &[Value]) -> Result<bool, String> {
        match self.evaluate(expression, row)? {
            Value::Bool(value) => Ok(value),
            other => Err(format!("a condition must be true or false, not {other:?}")),
        }
    }

    /// [`Evaluator::evaluate`] for ids and keys: text, or an integer as text.
    pub(crate) fn text(&self, expression: &Expression, row: &[Value]) -> Result<String, String> {
        match self.evaluate(expression, row)? {
            Value::Text(text) => Ok(text),
            Value::Int(number) => Ok(number.to_string()),
            other => Err(format!("an id must be text or an integer, not {other:?}")),
        }
    }

    /// [`Evaluator::evaluate`] for sums.
    pub(crate) fn int(&self, expression: &Expression, row: &[Value]) -> Result<i64, String> {
        match self.evaluate(expression, row)? {
            Value::Int(number) => Ok(number),
            other => Err(format!("a sum must be of integers, not {other:?}")),
        }
    }
}

/// `a / b`, rounded to the nearest integer, halves away from zero.
fn div_round(a: i64, b: i64) -> Result<i64, ExecutionError> {
    let failed = || ExecutionError::function_error("div_round", "division by zero or overflow");
    let (quotient, rest) = (a.checked_div(b).ok_or_else(failed)?, a.checked_rem(b).ok_or_else(failed)?);
    let up = rest.unsigned_abs() >= b.unsigned_abs().div_ceil(2);
    let step = if (a < 0) == (b < 0) { 1 } else { -1 };
    if up { quotient.checked_add(step).ok_or_else(failed) } else { Ok(quotient) }
}

/// A time in the text form of the contract.
fn utc(millis: i64) -> Result<cel::Value, ExecutionError> {
    let time = Timestamp::from_millis(millis);
    let has_form = time.to_millis().is_some();
    let no_form = || ExecutionError::function_error("utc", "outside years 1 to 9999");
    has_form.then(|| time.to_string().into()).ok_or_else(no_form)
}

fn from_cel(value: cel::Value) -> Result<Value, String> {
    match value {
        cel::Value::Null => Ok(Value::Null),
        cel::Value::Bool(value) => Ok(Value::Bool(value)),
        cel::Value::Int(number) => Ok(Value::Int(number)),
        cel::Value::String(text) => Ok(Value::Text(text.as_ref().clone())),
        other => Err(format!("a {} is no value of a mapping", other.type_of())),
    }
}

struct Frame<'r> {
    names: &'r BTreeMap<String, usize>,
    row: &'r [Value],
}

impl VariableResolver for Frame<'_> {
    fn resolve<'b>(&'b self, variable: &str) -> Option<CowVal<'b, 'b>> {
        let value = self.row.get(*self.names.get(variable)?)?;
        Some(match value {
            Value::Null => {
                let null: Box<dyn Val> = cel::Value::Null.try_into().ok()?;
                CowVal::Owned(null)
            }
            Value::Bool(value) => CowVal::owned(CelBool::from(*value)),
            Value::Int(number) => CowVal::owned(CelInt::from(*number)),
            Value::Text(text) => CowVal::owned(CelString::from(text.as_str())),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evaluate(text: &str) -> Result<Value, String> {
        let names = BTreeMap::from([("n".to_owned(), 0), ("t".to_owned(), 1), ("none".to_owned(), 2)]);
        let expression = Expression::compile(text, 1, &names).map_err(|flaw| flaw.message)?;
        let row = [Value::Int(-7), Value::Text("C536".into()), Value::Null];
        Evaluator::new(names).evaluate(&expression, &row)
    }

    #[test]
    fn integers_stay_exact_and_overflow_is_an_error() {
        assert_eq!(evaluate("n * 1000000000000000001").unwrap(), Value::Int(-7_000_000_000_000_000_007));
        assert!(evaluate("n * 9223372036854775807").is_err());
        assert!(evaluate("n / (n + 7)").is_err());
    }

    #[test]
    fn halves_are_rounded_away_from_zero() {
        let rounded = |a: i64, b: i64| div_round(a, b).unwrap();
        let cases = [(14, 1), (15, 2), (16, 2), (-14, -1), (-15, -2), (25, 3), (0, 0)];
        for (a, expected) in cases {
            assert_eq!(rounded(a, 10), expected, "{a} / 10");
        }
        assert_eq!((rounded(15, -10), rounded(7, 3), rounded(8, 3), rounded(1, 3)), (-2, 2, 3, 0));
        assert!(div_round(1, 0).is_err());
        assert!(div_round(i64::MIN, -1).is_err());
    }

    #[test]
    fn text_null_and_times() {
        assert_eq!(evaluate(r#"t.startsWith("C") ? t + "-x" : """#).unwrap(), Value::Text("C536-x".into()));
        assert_eq!(evaluate("none").unwrap(), Value::Null);
        assert_eq!(evaluate("none == null && n != null").unwrap(), Value::Bool(true));
        assert_eq!(evaluate("utc(n)").unwrap(), Value::Text("1969-12-31T23:59:59.993Z".into()));
    }

    #[test]
    fn what_is_no_expression_says_why() {
        let why = |text: &str| evaluate(text).unwrap_err();
        assert_eq!(why("m + 1"), "expression `m + 1`: nothing is called `m` here");
        assert!(why("n +").starts_with("expression `n +`: "));
        assert!(why("1.5").ends_with("is no value of a mapping"));
        assert!(why(&"(".repeat(100)).contains("nested deeper than 32"));
    }
}
