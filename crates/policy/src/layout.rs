//! One layout for every expression: on one line if it fits, else an operand of its loosest operator on each line.

use std::ops::Range;

use crate::scan::{Class, Tokens, scan};

/// The expression on lines of at most `width` characters, as far as its operators allow; only blanks change.
///
/// `None` where it has no layout of its own: it does not scan, it is empty, or it holds `//` comments.
pub fn layout_expression(text: &str, width: usize) -> Option<Vec<String>> {
    let tokens = scan(text).ok()?;
    if tokens.list.is_empty() || has_comments(&tokens) {
        return None;
    }
    let unary = (0..tokens.list.len()).map(|at| is_unary(&tokens, at)).collect();
    let all = 0..tokens.list.len();
    Some(Printer { tokens: &tokens, unary }.lines(&all, width))
}

fn has_comments(tokens: &Tokens<'_>) -> bool {
    let starts = tokens.list.iter().map(|token| token.span.start).chain([tokens.text.len()]);
    let ends = [0].into_iter().chain(tokens.list.iter().map(|token| token.span.end));
    ends.zip(starts).any(|(end, start)| tokens.text[end..start].contains("//"))
}

/// Whether an operator has one operand only, behind it.
fn is_unary(tokens: &Tokens<'_>, at: usize) -> bool {
    let before = at.checked_sub(1);
    match tokens.str(at) {
        "!" => true,
        "-" => before.is_none_or(|before| match tokens.list[before].class {
            Class::Operator | Class::Open => true,
            Class::Name => tokens.str(before) == "in",
            Class::Int | Class::Text | Class::Close => false,
        }),
        _ => false,
    }
}

struct Printer<'a> {
    tokens: &'a Tokens<'a>,
    unary: Vec<bool>,
}

impl Printer<'_> {
    fn lines(&self, part: &Range<usize>, width: usize) -> Vec<String> {
        let flat = self.flat(part);
        if flat.chars().count() <= width {
            return vec![flat];
        }
        self.choice(part, width)
            .or_else(|| self.joined(part, "||", width))
            .or_else(|| self.joined(part, "&&", width))
            .or_else(|| self.bracketed(part, width))
            .unwrap_or_else(|| vec![flat])
    }

    /// On one line, with one blank wherever one belongs.
    fn flat(&self, part: &Range<usize>) -> String {
        let mut text = String::new();
        for at in part.clone() {
            if at > part.start && self.apart(at) {
                text.push(' ');
            }
            text.push_str(self.tokens.str(at));
        }
        text
    }

    /// Whether a blank stands before a token.
    fn apart(&self, at: usize) -> bool {
        let (before, this) = (self.tokens.str(at - 1), self.tokens.str(at));
        let (class_before, class) = (self.tokens.list[at - 1].class, self.tokens.list[at].class);
        let is_call = class == Class::Open && class_before == Class::Name && before != "in";
        let tight = before == "."
            || matches!(this, "." | ",")
            || self.unary[at - 1]
            || is_call
            || class_before == Class::Open
            || class == Class::Close;
        !tight
    }

    /// The tokens of a part that stand in none of its brackets.
    fn outside(&self, part: &Range<usize>) -> Vec<usize> {
        let (mut found, mut at) = (Vec::new(), part.start);
        while at < part.end {
            found.push(at);
            let token = &self.tokens.list[at];
            at = token.partner.filter(|_| token.class == Class::Open).unwrap_or(at) + 1;
        }
        found
    }

    fn joined(&self, part: &Range<usize>, operator: &str, width: usize) -> Option<Vec<String>> {
        let at: Vec<usize> = self.outside(part).into_iter().filter(|at| self.tokens.str(*at) == operator).collect();
        if at.is_empty() {
            return None;
        }
        let starts = [part.start].into_iter().chain(at.iter().map(|at| at + 1));
        let ends = at.iter().copied().chain([part.end]);
        let mut lines = Vec::new();
        for (nth, (start, end)) in starts.zip(ends).enumerate() {
            let lead = if nth == 0 { String::new() } else { format!("{operator} ") };
            lines.extend(led(&lead, self.lines(&(start..end), width.saturating_sub(lead.len()))));
        }
        Some(lines)
    }

    /// `a ? b` and, below it, `: c`; a choice in the place of `c` goes on in the same way.
    fn choice(&self, part: &Range<usize>, width: usize) -> Option<Vec<String>> {
        let outside = self.outside(part);
        let ask = outside.iter().copied().find(|at| self.tokens.str(*at) == "?")?;
        let other = self.otherwise(&outside, ask)?;
        let head = self.flat(&(part.start..other));
        let mut lines = if head.chars().count() <= width {
            vec![head]
        } else {
            let mut lines = self.lines(&(part.start..ask), width);
            lines.extend(led("? ", self.lines(&(ask + 1..other), width.saturating_sub(2))));
            lines
        };
        let rest = other + 1..part.end;
        let mut rest = self.choice(&rest, width).unwrap_or_else(|| self.lines(&rest, width.saturating_sub(2)));
        let first = rest.remove(0);
        lines.push(format!(": {first}"));
        lines.extend(rest);
        Some(lines)
    }

    /// The `:` that belongs to a `?`.
    fn otherwise(&self, outside: &[usize], ask: usize) -> Option<usize> {
        let mut open = 0_usize;
        for at in outside.iter().copied().filter(|at| *at > ask) {
            match self.tokens.str(at) {
                "?" => open += 1,
                ":" if open == 0 => return Some(at),
                ":" => open -= 1,
                _ => {}
            }
        }
        None
    }

    /// What stands in brackets, perhaps behind a `!`.
    fn bracketed(&self, part: &Range<usize>, width: usize) -> Option<Vec<String>> {
        let open = (part.start..part.end).find(|at| !self.unary[*at])?;
        let token = &self.tokens.list[open];
        if self.tokens.str(open) != "(" || token.partner != Some(part.end - 1) {
            return None;
        }
        let lead = format!("{}(", self.flat(&(part.start..open)));
        let inner = self.lines(&(open + 1..part.end - 1), width.saturating_sub(lead.len() + 1));
        let mut lines = led(&lead, inner);
        lines.last_mut()?.push(')');
        Some(lines)
    }
}

/// Lines with a lead before the first and as many blanks before the others.
fn led(lead: &str, lines: Vec<String>) -> Vec<String> {
    let blank = " ".repeat(lead.len());
    let nth = |(nth, line): (usize, String)| if nth == 0 { format!("{lead}{line}") } else { format!("{blank}{line}") };
    lines.into_iter().enumerate().map(nth).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, width: usize) -> String {
        layout_expression(text, width).unwrap_or_default().join("\n")
    }

    #[test]
    fn blanks_are_those_that_belong_there() {
        let cases = [
            ("a.b&&!c.d ||x.y", "a.b && !c.d || x.y"),
            ("pct( a.b ,p.x )>=-3", "pct(a.b, p.x) >= -3"),
            ("a.b - -1*( 2+3 )", "a.b - -1 * (2 + 3)"),
            ("a.b in[ 'x','y' ]", "a.b in ['x', 'y']"),
            ("has( a.b )?1:-2", "has(a.b) ? 1 : -2"),
            ("!( a.b  && c.d )", "!(a.b && c.d)"),
        ];
        for (text, expected) in cases {
            assert_eq!(at(text, 100), expected);
            assert_eq!(at(expected, 100), expected);
        }
    }

    #[test]
    fn what_is_too_long_has_an_operand_a_line() {
        let text = "a.bbbb > 1 && (c.dddd == 2 || !(e.ffff && g.hhhh)) && i.jjjj";
        let expected = "a.bbbb > 1\n&& (c.dddd == 2\n    || !(e.ffff\n         && g.hhhh))\n&& i.jjjj";
        assert_eq!(at(text, 18), expected);
        assert_eq!(at(&expected.replace('\n', " "), 18), expected);
    }

    #[test]
    fn a_chain_of_choices_is_a_list() {
        let text = "a.b >= p.c ? p.one : a.b >= p.d ? p.two : p.three";
        assert_eq!(at(text, 24), "a.b >= p.c ? p.one\n: a.b >= p.d ? p.two\n: p.three");
    }

    #[test]
    fn what_cannot_be_read_keeps_its_form() {
        assert_eq!(layout_expression("a.b // note\n && c.d", 9), None);
        assert_eq!(layout_expression("a.b & c.d", 9), None);
        assert_eq!(layout_expression("", 9), None);
    }
}
