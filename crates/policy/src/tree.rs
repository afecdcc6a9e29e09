//! An expression as it was written: syntax only, with spans of its text.

use crate::diagnostic::Span;
use crate::expr::{Arithmetic, Comparison};

/// A node of the syntax tree.
#[derive(Debug)]
pub struct Tree {
    pub span: Span,
    pub kind: Form,
}

/// What was written.
#[derive(Debug)]
pub enum Form {
    Int(i64),
    Bool(bool),
    Text(String),
    /// A name with its dots.
    Name(String),
    Has(Box<Tree>),
    Call(Call),
    Not(Box<Tree>),
    Neg(Box<Tree>),
    And(Vec<Tree>),
    Or(Vec<Tree>),
    Arithmetic(Arithmetic, Box<[Tree; 2]>),
    Compare(Comparison, Box<[Tree; 2]>),
    In(Box<[Tree; 2]>),
    List(Vec<Tree>),
    Choose(Box<[Tree; 3]>),
    /// A part of CEL that rules do not have.
    Refused(&'static str),
}

/// A function call.
#[derive(Debug)]
pub struct Call {
    pub function: String,
    pub name_span: Span,
    pub args: Vec<Tree>,
}

impl Tree {
    /// Calls `visit` on this node and everything below it.
    pub fn walk<'a>(&'a self, visit: &mut impl FnMut(&'a Tree)) {
        visit(self);
        match &self.kind {
            Form::Has(one) | Form::Not(one) | Form::Neg(one) => one.walk(visit),
            Form::And(many) | Form::Or(many) | Form::List(many) => walk_all(many, visit),
            Form::Call(call) => walk_all(&call.args, visit),
            Form::Arithmetic(_, two) | Form::Compare(_, two) | Form::In(two) => {
                walk_all(&**two, visit);
            }
            Form::Choose(three) => walk_all(&**three, visit),
            Form::Int(_) | Form::Bool(_) | Form::Text(_) | Form::Name(_) | Form::Refused(_) => {}
        }
    }
}

fn walk_all<'a>(trees: &'a [Tree], visit: &mut impl FnMut(&'a Tree)) {
    for tree in trees {
        tree.walk(visit);
    }
}
