//! Text to syntax tree: the `cel` crate parses, this module bounds it, names spans and words its errors.

use std::thread;

use cel::common::ast::{CallExpr, Expr as Cel, IdedExpr, LiteralValue, SourceInfo, operators};
use cel::parser::{ParseError, ParseErrors, Parser};

use crate::diagnostic::{Diagnostic, Span};
use crate::expr::{Arithmetic, Comparison};
use crate::scan::{Class, Tokens, scan, union};
use crate::tree::{Call, Form, Tree};

/// The parser recurses up to 90 KB a nesting level when it is not optimised; the bounds of `scan` keep it below this.
const STACK_BYTES: usize = 8 << 20;
/// The parser's own recursion limit, a second line behind `scan`.
const PARSER_DEPTH: u16 = 96;
/// After this many syntax errors the rest is noise of the first.
const SYNTAX_ERRORS_MAX: usize = 4;

/// The syntax tree, or every error of the first stage that has any.
pub fn parse(text: &str) -> Result<Tree, Vec<Diagnostic>> {
    let tokens = scan(text)?;
    if tokens.list.is_empty() {
        let all = Span { start: 0, end: text.len() };
        return Err(vec![Diagnostic::error("HR0102", "the expression is empty", all)]);
    }
    on_a_large_stack(|| parse_tokens(&tokens))
}

/// Runs `work` on a thread of its own. A panic of the parser becomes a finding.
fn on_a_large_stack<T: Send>(work: impl FnOnce() -> Result<T, Vec<Diagnostic>> + Send) -> Result<T, Vec<Diagnostic>> {
    let failed = |what: &str| Err(vec![Diagnostic::error("HR0102", what, Span::default())]);
    thread::scope(|scope| {
        let builder = thread::Builder::new().stack_size(STACK_BYTES);
        match builder.spawn_scoped(scope, work) {
            Ok(handle) => handle.join().unwrap_or_else(|_| failed("the parser gave up on the expression")),
            Err(_) => failed("no thread could be started for the parser"),
        }
    })
}

fn parse_tokens(tokens: &Tokens<'_>) -> Result<Tree, Vec<Diagnostic>> {
    let parser = Parser::default().max_recursion_depth(PARSER_DEPTH);
    let (root, info) = parser.parse_with_source_info(tokens.text).map_err(|errors| worded(&errors, tokens))?;
    Ok(Converter { tokens, info }.tree(&root))
}

fn worded(errors: &ParseErrors, tokens: &Tokens<'_>) -> Vec<Diagnostic> {
    let mut findings: Vec<Diagnostic> = Vec::new();
    for error in &errors.errors {
        let finding = word(error, tokens);
        if findings.iter().all(|earlier| earlier.span != finding.span) {
            findings.push(finding);
        }
    }
    findings.truncate(SYNTAX_ERRORS_MAX);
    findings
}

fn word(error: &ParseError, tokens: &Tokens<'_>) -> Diagnostic {
    let at = byte_of(error.pos, tokens.text).and_then(|byte| tokens.at(byte));
    let span = at.map_or(end_of(tokens), |at| tokens.list[at].span);
    let token = at.map(|at| tokens.str(at));
    match (error.msg.as_str(), token) {
        ("invalid int literal", Some(number)) => {
            let message = format!("`{number}` does not fit a 64-bit integer");
            Diagnostic::error("HR0103", message, span)
        }
        ("invalid argument to has() macro", _) => Diagnostic::error("HR0113", "`has` needs a feature name", span)
            .help("write it with its dots, like `has(model.score)`"),
        (text, Some(word)) if text.starts_with("reserved identifier") => {
            Diagnostic::error("HR0104", format!("`{word}` is a reserved word"), span)
        }
        (_, Some(token)) => Diagnostic::error("HR0102", format!("unexpected `{token}`"), span),
        (_, None) => Diagnostic::error("HR0102", "the expression ends too early", span),
    }
}

/// The byte of a line and column, both from 1, columns in characters.
fn byte_of((line, column): (isize, isize), text: &str) -> Option<usize> {
    let line = usize::try_from(line).ok()?.checked_sub(1)?;
    let column = usize::try_from(column).ok()?.checked_sub(1)?;
    let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let within = text[start..].char_indices().nth(column);
    Some(within.map_or(text.len(), |(at, _)| start + at))
}

fn end_of(tokens: &Tokens<'_>) -> Span {
    let end = tokens.list.last().map_or(0, |token| token.span.end);
    Span { start: end.saturating_sub(1), end }
}

struct Converter<'a> {
    tokens: &'a Tokens<'a>,
    info: SourceInfo,
}

impl Converter<'_> {
    fn tree(&self, node: &IdedExpr) -> Tree {
        match &node.expr {
            Cel::Literal(literal) => self.literal(node.id, literal),
            Cel::Ident(name) => self.leaf(node.id, Form::Name(name.clone())),
            Cel::Select(select) if select.test => {
                let inner = self.select(self.before_end(node.id), &select.operand, &select.field);
                Tree { span: self.call_span(node.id), kind: Form::Has(Box::new(inner)) }
            }
            Cel::Select(select) => {
                let field = self.token(node.id).map(|dot| dot + 1);
                self.select(field, &select.operand, &select.field)
            }
            Cel::Call(call) => self.call(node.id, call),
            Cel::List(list) => Tree {
                span: self.tokens.balanced(self.token_span(node.id)),
                kind: Form::List(self.trees(&list.elements)),
            },
            Cel::Comprehension(_) => self.refused(self.call_span(node.id), "macros over lists"),
            Cel::Map(_) | Cel::Struct(_) | Cel::Unspecified => {
                self.refused(self.token_span(node.id), "maps and messages")
            }
        }
    }

    fn trees(&self, nodes: &[IdedExpr]) -> Vec<Tree> {
        nodes.iter().map(|node| self.tree(node)).collect()
    }

    fn refused(&self, span: Span, what: &'static str) -> Tree {
        Tree { span, kind: Form::Refused(what) }
    }

    fn token(&self, id: u64) -> Option<usize> {
        let (start, _) = self.info.offset_for(id)?;
        self.tokens.at(usize::try_from(start).ok()?)
    }

    fn token_span(&self, id: u64) -> Span {
        let token = self.token(id).map(|at| self.tokens.list[at].span);
        token.unwrap_or_else(|| end_of(self.tokens))
    }

    fn leaf(&self, id: u64, kind: Form) -> Tree {
        Tree { span: self.token_span(id), kind }
    }

    fn literal(&self, id: u64, literal: &LiteralValue) -> Tree {
        match literal {
            LiteralValue::Boolean(value) => self.leaf(id, Form::Bool(*value.inner())),
            LiteralValue::String(text) => self.leaf(id, Form::Text(text.inner().to_owned())),
            LiteralValue::Int(value) => {
                let span = self.signed(id, *value.inner());
                Tree { span, kind: Form::Int(*value.inner()) }
            }
            LiteralValue::Null => self.leaf(id, Form::Refused("`null`")),
            LiteralValue::Bytes(_) => self.leaf(id, Form::Refused("bytes")),
            LiteralValue::Double(_) => self.leaf(id, Form::Refused("fractions")),
            LiteralValue::UInt(_) => self.leaf(id, Form::Refused("unsigned numbers")),
        }
    }

    /// A negative literal's span begins at its sign.
    fn signed(&self, id: u64, value: i64) -> Span {
        let span = self.token_span(id);
        let sign = self.token(id).and_then(|at| at.checked_sub(1));
        match sign {
            Some(sign) if value < 0 && self.tokens.str(sign) == "-" => union(self.tokens.list[sign].span, span),
            _ => span,
        }
    }

    /// The last token inside a call's brackets. The parser marks the opening one.
    fn before_end(&self, id: u64) -> Option<usize> {
        self.tokens.list[self.token(id)?].partner?.checked_sub(1)
    }

    /// `operand.field`, where `last` is the token of the field.
    fn select(&self, last: Option<usize>, operand: &IdedExpr, field: &str) -> Tree {
        let operand = self.tree(operand);
        let span = match last.and_then(|at| self.tokens.list.get(at)) {
            Some(token) if token.class == Class::Name => union(operand.span, token.span),
            _ => operand.span,
        };
        let kind = match operand.kind {
            Form::Name(name) => Form::Name(format!("{name}.{field}")),
            Form::Refused(what) => Form::Refused(what),
            _ => Form::Refused("fields of a value"),
        };
        Tree { span, kind }
    }

    /// A call's span: from the function's name to its closing bracket. The parser marks the opening one.
    fn call_span(&self, id: u64) -> Span {
        let Some(open) = self.token(id) else {
            return end_of(self.tokens);
        };
        let span = self.tokens.balanced(self.tokens.list[open].span);
        union(self.tokens.list[open.saturating_sub(1)].span, span)
    }

    fn call(&self, id: u64, call: &CallExpr) -> Tree {
        let args = self.trees(&call.args);
        if let Some(target) = &call.target {
            let span = union(self.tree(target).span, self.call_span(id));
            return self.refused(self.tokens.balanced(span), "methods");
        }
        let own = self.token_span(id);
        let parts = args.iter().map(|arg| arg.span).fold(own, union);
        let span = self.tokens.balanced(parts);
        match operator(&call.func_name, args) {
            Ok(kind) => Tree { span, kind },
            Err(args) => self.function(id, &call.func_name, args),
        }
    }

    fn function(&self, id: u64, function: &str, args: Vec<Tree>) -> Tree {
        let name = self.token(id).and_then(|at| at.checked_sub(1));
        let name_span = name.map_or(self.token_span(id), |at| self.tokens.list[at].span);
        Tree { span: self.call_span(id), kind: Form::Call(Call { function: function.to_owned(), name_span, args }) }
    }
}

/// The form of an operator's call; the operands back if it is a function's.
fn operator(name: &str, args: Vec<Tree>) -> Result<Form, Vec<Tree>> {
    match name {
        operators::LOGICAL_AND => Ok(Form::And(flat(args, true))),
        operators::LOGICAL_OR => Ok(Form::Or(flat(args, false))),
        operators::LOGICAL_NOT => one(args).map(Form::Not),
        operators::NEGATE => one(args).map(Form::Neg),
        operators::CONDITIONAL => exactly(args).map(Form::Choose),
        operators::IN => exactly(args).map(Form::In),
        operators::INDEX | operators::OPT_INDEX | operators::OPT_SELECT => Ok(Form::Refused("indexing")),
        _ => match (arithmetic(name), comparison(name)) {
            (Some(operator), _) => exactly(args).map(|two| Form::Arithmetic(operator, two)),
            (_, Some(operator)) => exactly(args).map(|two| Form::Compare(operator, two)),
            _ => Err(args),
        },
    }
}

fn arithmetic(name: &str) -> Option<Arithmetic> {
    Some(match name {
        operators::ADD => Arithmetic::Add,
        operators::SUBSTRACT => Arithmetic::Sub,
        operators::MULTIPLY => Arithmetic::Mul,
        operators::DIVIDE => Arithmetic::Div,
        operators::MODULO => Arithmetic::Rem,
        _ => return None,
    })
}

fn comparison(name: &str) -> Option<Comparison> {
    Some(match name {
        operators::EQUALS => Comparison::Equal,
        operators::NOT_EQUALS => Comparison::NotEqual,
        operators::LESS => Comparison::Less,
        operators::LESS_EQUALS => Comparison::AtMost,
        operators::GREATER => Comparison::Greater,
        operators::GREATER_EQUALS => Comparison::AtLeast,
        _ => return None,
    })
}

/// `a && (b && c)` and the parser's balanced trees are one list: the order of evaluation is the text's.
fn flat(args: Vec<Tree>, and: bool) -> Vec<Tree> {
    let mut list = Vec::new();
    for arg in args {
        match arg.kind {
            Form::And(inner) if and => list.extend(inner),
            Form::Or(inner) if !and => list.extend(inner),
            _ => list.push(arg),
        }
    }
    list
}

fn one(mut args: Vec<Tree>) -> Result<Box<Tree>, Vec<Tree>> {
    match (args.pop(), args.is_empty()) {
        (Some(only), true) => Ok(Box::new(only)),
        (last, _) => {
            args.extend(last);
            Err(args)
        }
    }
}

fn exactly<const N: usize>(args: Vec<Tree>) -> Result<Box<[Tree; N]>, Vec<Tree>> {
    args.try_into().map(Box::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Overflowing the stack would end the process, so this fails loudly if the bounds are too wide.
    #[test]
    fn the_deepest_texts_within_the_bounds_parse() {
        let nested =
            |open: &str, close: &str, levels: usize| format!("{}a.b{}", open.repeat(levels), close.repeat(levels));
        let texts = [
            nested("(", ")", 32),
            nested("!(", ")", 32),
            nested("a.b + 2 * -(", ")", 30),
            nested("min(1, ", ")", 32),
            nested("a.b in [", "]", 32),
            nested("true ? 1 : ", "", 32),
            nested("(true ? 1 : ", ")", 16),
            nested("a.b + ", "", 63),
            nested("(1 < 2 && a.b || 3 + 4 * ", ")", 32),
            nested("a.b && c.d || ", "", 250),
        ];
        for text in texts {
            let outcome = parse(&text).map(|_| ());
            assert_eq!(outcome, Ok(()), "{text}");
        }
    }

    #[test]
    fn spans_take_brackets_and_signs_along() {
        let text = "min(a.b, (1 + 2) * -3) == - 4";
        let tree = parse(text).expect("it parses");
        let mut seen = Vec::new();
        tree.walk(&mut |node| seen.push(&text[node.span.start..node.span.end]));
        let expected = [text, "min(a.b, (1 + 2) * -3)", "a.b", "(1 + 2) * -3", "1 + 2", "1", "2", "-3", "- 4"];
        assert_eq!(seen, expected);
    }

    #[test]
    fn positions_count_characters_not_bytes() {
        let text = "\"规则\" == a.b // 注\n && )";
        let errors = scan(text).map(|_| ()).expect_err("a bracket has no match");
        assert_eq!(&text[errors[0].span.start..errors[0].span.end], ")");
        let text = "\"规则\" == a.b /* no */ && c.d";
        let errors = parse(text).map(|_| ()).expect_err("there are no such comments");
        assert_eq!(&text[errors[0].span.start..errors[0].span.end], "*");
    }
}
