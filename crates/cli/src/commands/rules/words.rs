//! Conditions in plain words. Parameters stand there with the values that they have.

use headroom_policy::{Comparison, Expr, Kind, Program, Value};

/// What a condition asks for, as a phrase.
pub fn words(program: &Program) -> String {
    Words { program }.of(program.root())
}

struct Words<'a> {
    program: &'a Program,
}

impl Words<'_> {
    fn of(&self, expr: &Expr) -> String {
        match &expr.kind {
            Kind::Const(value) => self.constant(*value, expr),
            Kind::Money(amounts) => {
                let amounts: Vec<String> =
                    amounts.iter().map(|(currency, amount)| format!("{currency} {amount}")).collect();
                if amounts.is_empty() { "an amount".to_owned() } else { amounts.join(" or ") }
            }
            Kind::Slot(slot) => self.name(*slot),
            Kind::Has(slot) => format!("{} is known", self.name(*slot)),
            Kind::Default(slot, other) => format!("{} ({} if unknown)", self.name(*slot), self.of(other)),
            Kind::Not(inner) => format!("not {}", self.part(inner)),
            Kind::Neg(inner) => format!("-{}", self.part(inner)),
            Kind::And(parts) => self.joined(parts, " and "),
            Kind::Or(parts) => format!("either {}", self.joined(parts, " or ")),
            Kind::Arithmetic(..) => self.arithmetic(expr),
            Kind::Min(parts) => format!("the least of {}", self.joined(parts, ", ")),
            Kind::Max(parts) => format!("the greatest of {}", self.joined(parts, ", ")),
            Kind::Compare(by, sides) => format!("{} {} {}", self.of(&sides[0]), relation(*by), self.of(&sides[1])),
            Kind::Pct(by, _, parts) => {
                let [part, whole, bound] = parts.each_ref().map(|each| self.of(each));
                format!("{part} {} {bound} % of {whole}", relation(*by))
            }
            Kind::In(wanted, among) => format!("{} is one of {}", self.of(wanted), self.joined(among, ", ")),
            Kind::Choose(parts) => {
                let [condition, yes, no] = parts.each_ref().map(|each| self.of(each));
                format!("{yes} if {condition}, else {no}")
            }
        }
    }

    fn arithmetic(&self, expr: &Expr) -> String {
        use headroom_policy::Arithmetic::{Add, Div, Mul, Rem, Sub};
        let Kind::Arithmetic(operator, sides) = &expr.kind else { return String::new() };
        let sign = match operator {
            Add => "+",
            Sub => "-",
            Mul => "×",
            Div => "÷",
            Rem => "modulo",
        };
        format!("{} {sign} {}", self.part(&sides[0]), self.part(&sides[1]))
    }

    fn joined(&self, parts: &[Expr], word: &str) -> String {
        parts.iter().map(|each| self.part(each)).collect::<Vec<_>>().join(word)
    }

    /// In brackets where it is made of parts itself.
    fn part(&self, expr: &Expr) -> String {
        let text = self.of(expr);
        match expr.kind {
            Kind::And(_) | Kind::Or(_) | Kind::Choose(_) | Kind::Arithmetic(..) => format!("({text})"),
            _ => text,
        }
    }

    fn constant(&self, value: i64, expr: &Expr) -> String {
        self.program.decode(Value::Known(value), &expr.ty).to_string().trim_matches('"').to_owned()
    }

    fn name(&self, slot: usize) -> String {
        self.program.name(slot).unwrap_or("something").to_owned()
    }
}

fn relation(by: Comparison) -> &'static str {
    match by {
        Comparison::Equal => "is",
        Comparison::NotEqual => "is not",
        Comparison::Less => "is below",
        Comparison::AtMost => "is at most",
        Comparison::Greater => "is above",
        Comparison::AtLeast => "is at least",
    }
}

#[cfg(test)]
mod tests {
    use headroom_engine::catalogue;
    use headroom_policy::{Constant, Currency, Expect, Params, Schema, Scope, compile};

    use super::*;

    fn of(text: &str) -> String {
        let schema = Schema::new(catalogue().map(|feature| feature.symbol()).collect());
        let money = Constant::Money(vec![(Currency(*b"CNY"), 500), (Currency(*b"GBP"), 50)]);
        let params = Params::from([("most".to_owned(), Constant::Int(150)), ("floor".to_owned(), money)]);
        let scope = Scope { schema: &schema, params: &params };
        words(&compile(text, 0, &scope, Expect::Any).unwrap().program)
    }

    #[test]
    fn conditions_read_as_phrases() {
        let cases = [
            ("pct(limit.base, limit.granted) <= p.most", "limit.base is at most 150 % of limit.granted"),
            ("!block.any && delinquency.dpd == 0", "not block.any and delinquency.dpd is 0"),
            ("limit.base >= p.floor", "limit.base is at least CNY 500 or GBP 50"),
            ("account.tier in ['gold', 'platinum']", "account.tier is one of gold, platinum"),
            ("has(model.score) || block.any", "either model.score is known or block.any"),
            ("default(model.score, 3) - 1 > 2", "model.score (3 if unknown) - 1 is above 2"),
            ("min(limit.base, balance.used) < p.zero", "the least of limit.base, balance.used is below 0"),
            ("(block.any || boost.active) && block.any", "(either block.any or boost.active) and block.any"),
        ];
        for (text, expected) in cases {
            assert_eq!(of(text), expected);
        }
    }
}
