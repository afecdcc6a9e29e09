//! What an expression is compiled against: the schema, the parameters, the type that is wanted.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::schema::{Schema, Type};

/// An ISO 4217 currency code: three upper-case ASCII letters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Currency(pub [u8; 3]);

/// A text that is not a currency code.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CurrencyError {
    /// What was written.
    pub text: String,
}

impl fmt::Display for CurrencyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = &self.text;
        write!(f, "`{text}` is not a currency code of three upper-case letters")
    }
}

impl std::error::Error for CurrencyError {}

impl FromStr for Currency {
    type Err = CurrencyError;

    fn from_str(text: &str) -> Result<Self, CurrencyError> {
        let wrong = || CurrencyError { text: text.to_owned() };
        let code: [u8; 3] = text.as_bytes().try_into().map_err(|_| wrong())?;
        let fine = code.iter().all(u8::is_ascii_uppercase);
        fine.then_some(Currency(code)).ok_or_else(wrong)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|&byte| write!(f, "{}", char::from(byte)))
    }
}

/// The value of a parameter. Percentages are whole numbers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Constant {
    /// A whole number or a percentage.
    Int(i64),
    /// A switch.
    Bool(bool),
    /// Minor units by currency; an account of another currency gets unknown (`CURRENCY`).
    Money(Vec<(Currency, i64)>),
}

impl Constant {
    /// The type that expressions see.
    pub fn ty(&self) -> Type {
        match self {
            Constant::Int(_) => Type::Int,
            Constant::Bool(_) => Type::Bool,
            Constant::Money(_) => Type::Money,
        }
    }
}

/// Parameters by the name after `p.`; `p.zero` always exists and is money 0.
pub type Params = BTreeMap<String, Constant>;

/// Everything an expression may name.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// Features and facts.
    pub schema: &'a Schema,
    /// The rule's parameters.
    pub params: &'a Params,
}

/// What the place of an expression asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expect {
    /// A condition.
    Bool,
    /// A whole number or percentage.
    Int,
    /// An amount.
    Money,
    /// Either of the two.
    IntOrMoney,
    /// Anything.
    Any,
}

impl Expect {
    /// True if an expression of this type fits.
    pub fn accepts(self, ty: &Type) -> bool {
        match self {
            Expect::Any => true,
            Expect::Bool => matches!(ty, Type::Bool | Type::Any),
            Expect::Int => matches!(ty, Type::Int | Type::Any),
            Expect::Money => matches!(ty, Type::Money | Type::Any),
            Expect::IntOrMoney => matches!(ty, Type::Int | Type::Money | Type::Any),
        }
    }
}

impl fmt::Display for Expect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Expect::Bool => "bool",
            Expect::Int => "int",
            Expect::Money => "money",
            Expect::IntOrMoney => "int or money",
            Expect::Any => "any type",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn currencies_are_three_capitals() {
        assert_eq!("CNY".parse::<Currency>().map(|code| code.to_string()), Ok("CNY".to_owned()));
        for wrong in ["cny", "CN", "CNYX", "C¥", ""] {
            assert!(wrong.parse::<Currency>().is_err(), "{wrong}");
        }
    }
}
