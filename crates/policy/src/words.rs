//! Conditions in plain words. Parameters stand there with the values that they have.

use crate::expr::{Arithmetic, Comparison, Expr, Kind};
use crate::program::Program;
use crate::value::Value;

/// What a condition asks for, as a phrase.
pub fn in_words(program: &Program) -> String {
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
        use Arithmetic::{Add, Div, Mul, Rem, Sub};
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
