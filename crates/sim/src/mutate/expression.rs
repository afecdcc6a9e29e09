//! The changes of an expression that one of its tests must notice.

use headroom_policy::{Arithmetic, Comparison, Expr, Kind, Program, Schema, Span, Type};

/// One change of an expression.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rewritten {
    /// Where in the text it begins.
    pub at: usize,
    /// The part that is shown, as it was.
    pub old: String,
    /// The same part, changed.
    pub new: String,
    /// The whole text, changed.
    pub text: String,
}

/// Every operator, constant and connective of an expression changed, one at a time, in the order of the tree.
/// What no value within the catalogue's ranges could tell apart is left out: `x <= 0` for `x == 0` of a count.
pub fn rewritten(program: &Program, schema: &Schema) -> Vec<Rewritten> {
    let root = program.root();
    let mut writer = Writer { text: program.text(), schema, found: Vec::new() };
    writer.negated(root);
    writer.visit(root, root.span);
    writer.found
}

struct Writer<'a> {
    text: &'a str,
    schema: &'a Schema,
    found: Vec<Rewritten>,
}

const ORDERS: [(Comparison, &str); 4] =
    [(Comparison::Less, "<"), (Comparison::AtMost, "<="), (Comparison::Greater, ">"), (Comparison::AtLeast, ">=")];
const EQUALITIES: [(Comparison, &str); 2] = [(Comparison::Equal, "=="), (Comparison::NotEqual, "!=")];

fn sign(operator: Comparison) -> &'static str {
    let all = ORDERS.iter().chain(&EQUALITIES);
    all.filter(|(each, _)| *each == operator).map(|(_, sign)| *sign).next().unwrap_or_default()
}

impl Writer<'_> {
    fn part(&self, span: Span) -> &str {
        &self.text[span.start..span.end]
    }

    /// Replaces `cut`; shows `shown`, which lies around it.
    fn write(&mut self, shown: Span, cut: Span, with: &str) {
        let whole =
            |from: usize, to: usize| format!("{}{with}{}", &self.text[from..cut.start], &self.text[cut.end..to]);
        let single = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let change = Rewritten {
            at: cut.start,
            old: single(self.part(shown)),
            new: single(&whole(shown.start, shown.end)),
            text: whole(0, self.text.len()),
        };
        if !self.found.iter().any(|each| each.text == change.text) {
            self.found.push(change);
        }
    }

    fn visit(&mut self, expr: &Expr, shown: Span) {
        match &expr.kind {
            Kind::Const(value) => self.constant(expr, *value, shown),
            Kind::Compare(operator, sides) => self.comparison(expr, *operator, sides),
            Kind::Pct(operator, call, parts) => self.share(expr, *operator, *call, parts),
            Kind::And(operands) => self.logic(operands, "&&", "||", "true"),
            Kind::Or(operands) => self.logic(operands, "||", "&&", "false"),
            Kind::Not(inner) => {
                let bare = format!("({})", self.part(inner.span));
                self.write(expr.span, expr.span, &bare);
                self.visit(inner, expr.span);
            }
            Kind::Neg(inner) => {
                let bare = self.part(inner.span).to_owned();
                self.write(shown, expr.span, &bare);
                self.visit(inner, shown);
            }
            Kind::Arithmetic(operator, sides) => self.arithmetic(*operator, sides, shown),
            Kind::Min(all) | Kind::Max(all) => self.extreme(expr, all, shown),
            Kind::In(one, many) => self.membership(expr, one, many),
            Kind::Choose(parts) => self.choice(parts),
            Kind::Default(_, other) => self.otherwise(expr, other, shown),
            Kind::Money(_) | Kind::Slot(_) | Kind::Has(_) => {}
        }
    }

    /// A literal one step up and down; a parameter is changed where it is declared.
    fn constant(&mut self, expr: &Expr, value: i64, shown: Span) {
        let written = self.part(expr.span);
        if !written.starts_with(|c: char| c.is_ascii_digit() || "-\"'tf".contains(c)) {
            return;
        }
        let others: Vec<String> = match &expr.ty {
            Type::Bool => vec![if value == 0 { "true" } else { "false" }.to_owned()],
            Type::Int if written.replace('_', "").parse() == Ok(value) => {
                [value - 1, value + 1].map(|each| each.to_string()).into()
            }
            Type::Enum(words) => neighbours(words, value),
            _ => Vec::new(),
        };
        for other in others {
            self.write(shown, expr.span, &other);
        }
    }

    /// Where the operator stands: between its sides, where nothing but blanks and parentheses is beside it.
    fn between(&self, left: Span, right: Span, sign: &str) -> Option<Span> {
        let gap = self.text.get(left.end..right.start)?;
        let start = left.end + gap.find(sign)?;
        Some(Span { start, end: start + sign.len() })
    }

    fn comparison(&mut self, expr: &Expr, operator: Comparison, sides: &[Expr; 2]) {
        let ordered = matches!(sides[0].ty, Type::Int | Type::Money) && matches!(sides[1].ty, Type::Int | Type::Money);
        if let Some(at) = self.between(sides[0].span, sides[1].span, sign(operator)) {
            let others = EQUALITIES.iter().chain(ORDERS.iter().filter(|_| ordered));
            for (other, sign) in others.filter(|(other, _)| *other != operator) {
                if !self.same((operator, 0), (*other, 0), sides) {
                    self.write(expr.span, at, sign);
                }
            }
        }
        for (position, side) in sides.iter().enumerate() {
            let constant = side.constant().filter(|_| side.ty == Type::Int);
            for step in [-1, 1] {
                let Some(value) = constant.filter(|_| !self.same((operator, 0), (operator, step), sides)) else {
                    continue;
                };
                if self.part(side.span).replace('_', "").parse() == Ok(value) {
                    self.write(expr.span, side.span, &(value + step).to_string());
                }
            }
            if constant.is_none() {
                self.visit(&sides[position], expr.span);
            }
        }
    }

    /// Whether two comparisons of a feature with a constant agree on all that the feature can be. Each is an operator
    /// and what is added to the constant.
    fn same(&self, one: (Comparison, i64), other: (Comparison, i64), sides: &[Expr; 2]) -> bool {
        let (slot, value, flipped) = match (&sides[0].kind, &sides[1].kind) {
            (Kind::Slot(slot), Kind::Const(value)) => (*slot, *value, false),
            (Kind::Const(value), Kind::Slot(slot)) => (*slot, *value, true),
            _ => return false,
        };
        let symbol = self.schema.symbol(slot);
        if symbol.min >= symbol.max {
            return false;
        }
        let near = (-2..=2).map(|step| value.saturating_add(step)).chain([symbol.min, symbol.max]);
        let mut looked = near.filter(|each| (symbol.min..=symbol.max).contains(each));
        let holds = |(operator, step): (Comparison, i64), found: i64| {
            let operator = if flipped { operator.flipped() } else { operator };
            operator.holds(found, value.saturating_add(step))
        };
        looked.all(|each| holds(one, each) == holds(other, each))
    }

    fn share(&mut self, expr: &Expr, operator: Comparison, call: Span, parts: &[Expr; 3]) {
        let bound = parts[2].span;
        let (left, right, written) =
            if call.start < bound.start { (call, bound, operator) } else { (bound, call, operator.flipped()) };
        if let Some(at) = self.between(left, right, sign(written)) {
            for (_, sign) in ORDERS.iter().filter(|(other, _)| *other != written) {
                self.write(expr.span, at, sign);
            }
        }
        parts.iter().for_each(|part| self.visit(part, expr.span));
    }

    fn logic(&mut self, operands: &[Expr], sign: &str, other: &str, neutral: &str) {
        for pair in operands.windows(2) {
            let shown = Span { start: pair[0].span.start, end: pair[1].span.end };
            if let Some(at) = self.between(pair[0].span, pair[1].span, sign) {
                self.write(shown, at, other);
            }
        }
        for operand in operands {
            self.write(operand.span, operand.span, neutral);
            self.negated(operand);
            self.visit(operand, operand.span);
        }
    }

    /// Not what it says; of a comparison another operator says it already.
    fn negated(&mut self, expr: &Expr) {
        let plain = matches!(expr.kind, Kind::Slot(_) | Kind::Has(_) | Kind::In(..) | Kind::And(_) | Kind::Or(_));
        if expr.ty == Type::Bool && plain {
            let text = format!("!({})", self.part(expr.span));
            self.write(expr.span, expr.span, &text);
        }
    }

    fn arithmetic(&mut self, operator: Arithmetic, sides: &[Expr; 2], shown: Span) {
        let (sign, other) = match operator {
            Arithmetic::Add => ("+", "-"),
            Arithmetic::Sub => ("-", "+"),
            Arithmetic::Mul => ("*", "/"),
            Arithmetic::Div | Arithmetic::Rem => (if operator == Arithmetic::Div { "/" } else { "%" }, "*"),
        };
        if let Some(at) = self.between(sides[0].span, sides[1].span, sign) {
            self.write(shown, at, other);
        }
        sides.iter().for_each(|side| self.visit(side, shown));
    }

    fn extreme(&mut self, expr: &Expr, all: &[Expr], shown: Span) {
        let name = Span { start: expr.span.start, end: (expr.span.start + 3).min(expr.span.end) };
        match self.part(name) {
            "min" => self.write(shown, name, "max"),
            "max" => self.write(shown, name, "min"),
            _ => {}
        }
        all.iter().for_each(|each| self.visit(each, shown));
    }

    fn membership(&mut self, expr: &Expr, one: &Expr, many: &[Expr]) {
        self.visit(one, expr.span);
        for (at, element) in many.iter().enumerate() {
            // With the comma that belongs to it.
            let cut = match (many.get(at + 1), at.checked_sub(1)) {
                (Some(next), _) => Span { start: element.span.start, end: next.span.start },
                (None, Some(before)) => Span { start: many[before].span.end, end: element.span.end },
                (None, None) => continue,
            };
            self.write(expr.span, cut, "");
        }
        for element in many {
            let taken = |text: &str| many.iter().any(|each| self.part(each.span) == text);
            let others = match (&element.ty, element.constant()) {
                (Type::Enum(words), Some(value)) => neighbours(words, value),
                (Type::Int, Some(value)) => vec![(value - 1).to_string(), (value + 1).to_string()],
                _ => Vec::new(),
            };
            let others: Vec<String> = others.into_iter().filter(|each| !taken(each)).collect();
            for other in others {
                self.write(expr.span, element.span, &other);
            }
        }
    }

    fn choice(&mut self, parts: &[Expr; 3]) {
        for constant in ["true", "false"] {
            self.write(parts[0].span, parts[0].span, constant);
        }
        self.negated(&parts[0]);
        for part in parts {
            self.visit(part, part.span);
        }
    }

    fn otherwise(&mut self, expr: &Expr, other: &Expr, shown: Span) {
        let inside = self.part(expr.span);
        let name =
            inside.find('(').zip(inside.find(',')).map(|(open, comma)| inside[open + 1..comma].trim().to_owned());
        if let Some(name) = name {
            self.write(shown, expr.span, &name);
        }
        self.visit(other, shown);
    }
}

/// The words beside a word in its list, in quotes.
fn neighbours(words: &[String], value: i64) -> Vec<String> {
    let beside = [value.checked_sub(1), value.checked_add(1)];
    let found = beside.into_iter().flatten().filter_map(|at| words.get(usize::try_from(at).ok()?));
    found.map(|word| format!("\"{word}\"")).collect()
}

#[cfg(test)]
mod tests {
    use headroom_policy::{Expect, Params, Scope, Symbol, compile};

    use super::*;

    fn changes(text: &str) -> Vec<String> {
        let symbol = |name: &str, ty| Symbol { name: name.to_owned(), ty, min: 0, max: 1_000 };
        let words: std::sync::Arc<[String]> = ["none", "silver", "gold"].map(str::to_owned).into();
        let schema = Schema::new(vec![
            symbol("a.n", Type::Int),
            symbol("a.m", Type::Int),
            symbol("a.t", Type::Enum(words)),
            Symbol { max: 1, ..symbol("a.ok", Type::Bool) },
        ]);
        let params = Params::new();
        let compiled = compile(text, 0, &Scope { schema: &schema, params: &params }, Expect::Any).unwrap();
        rewritten(&compiled.program, &schema).into_iter().map(|each| format!("{} -> {}", each.old, each.new)).collect()
    }

    #[test]
    fn a_comparison_gets_every_other_operator_and_two_constants() {
        assert_eq!(
            changes("a.n >= 3"),
            [
                "a.n >= 3 -> a.n == 3",
                "a.n >= 3 -> a.n != 3",
                "a.n >= 3 -> a.n < 3",
                "a.n >= 3 -> a.n <= 3",
                "a.n >= 3 -> a.n > 3",
                "a.n >= 3 -> a.n >= 2",
                "a.n >= 3 -> a.n >= 4",
            ]
        );
    }

    #[test]
    fn what_the_range_cannot_tell_apart_is_left_out() {
        let found = changes("a.n == 0");
        assert!(!found.contains(&"a.n == 0 -> a.n <= 0".to_owned()), "{found:?}");
        assert!(
            found.contains(&"a.n == 0 -> a.n < 0".to_owned()) && found.contains(&"a.n == 0 -> a.n >= 0".to_owned())
        );
        assert!(!changes("0 < a.n").contains(&"0 < a.n -> 0 != a.n".to_owned()));
    }

    #[test]
    fn connectives_are_exchanged_dropped_and_negated() {
        assert_eq!(
            changes("a.ok && (a.n > a.m || !a.ok)")[..6],
            [
                "a.ok && (a.n > a.m || !a.ok) -> !(a.ok && (a.n > a.m || !a.ok))",
                "a.ok && (a.n > a.m || !a.ok -> a.ok || (a.n > a.m || !a.ok",
                "a.ok -> true",
                "a.ok -> !(a.ok)",
                "a.n > a.m || !a.ok -> true",
                "a.n > a.m || !a.ok -> !(a.n > a.m || !a.ok)",
            ]
        );
    }

    #[test]
    fn words_lists_shares_and_choices_are_changed() {
        assert_eq!(
            changes("a.t == \"silver\"")[1..],
            ["a.t == \"silver\" -> a.t == \"none\"", "a.t == \"silver\" -> a.t == \"gold\""]
        );
        assert!(
            changes("a.t in [\"silver\", \"gold\"]")
                .contains(&"a.t in [\"silver\", \"gold\"] -> a.t in [\"gold\"]".to_owned())
        );
        assert!(changes("pct(a.n, a.m) <= 15").contains(&"pct(a.n, a.m) <= 15 -> pct(a.n, a.m) < 15".to_owned()));
        assert_eq!(changes("a.ok ? 5 : 7")[..2], ["a.ok -> true", "a.ok -> false"]);
        assert!(
            changes("max(a.n, default(a.m, 4))").contains(&"max(a.n, default(a.m, 4)) -> max(a.n, a.m)".to_owned())
        );
    }
}
