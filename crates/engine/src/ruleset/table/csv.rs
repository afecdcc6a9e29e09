//! Rows in a CSV file of the table's name: a header of columns, then one row a line, read as if they stood in the table.
//!
//! A header with a dot is an argument of an action (`increase.percent`); a row in which all of these are empty does nothing.

use headroom_policy::yaml::{Key, Kind, Node, Style};
use headroom_policy::{Diagnostic, Span};

use super::super::fields::Findings;

/// A field's text and its place.
type Cell = (String, Span);

/// The rows as a list of maps; `None` if the file has no header or is no CSV.
pub fn rows(text: &str, out: &mut Findings) -> Option<Node> {
    let mut lines = out.take(split(text))?.into_iter();
    let Some(header) = lines.next() else {
        out.add(wrong("the file is empty: its first line names the columns", Span::default()));
        return None;
    };
    let mut found = Vec::new();
    for line in lines {
        if line.len() == header.len() {
            found.push(row(&header, line));
        } else {
            let message = format!("the row has {} fields, the header {}", line.len(), header.len());
            out.add(wrong(&message, over(&line)));
        }
    }
    Some(Node::made(Kind::Seq(found), Span { start: 0, end: text.len() }))
}

fn wrong(message: &str, span: Span) -> Diagnostic {
    Diagnostic::error("HR0245", message, span)
}

fn over(line: &[Cell]) -> Span {
    let at = |cell: Option<&Cell>| cell.map(|(_, span)| *span).unwrap_or_default();
    Span { start: at(line.first()).start, end: at(line.last()).end }
}

fn row(header: &[Cell], line: Vec<Cell>) -> Node {
    let span = over(&line);
    let mut entries: Vec<(Key, Node)> = Vec::new();
    let mut actions: Vec<(Key, Node)> = Vec::new();
    for ((name, at), (text, span)) in header.iter().zip(line) {
        let node = Node::made(Kind::Scalar { text, style: Style::Plain }, span);
        let empty = node.text().is_some_and(str::is_empty);
        match name.split_once('.') {
            _ if empty => {}
            Some((action, argument)) => argue(&mut actions, (action, argument, *at), node),
            None => entries.push((key(name, *at), node)),
        }
    }
    if header.iter().any(|(name, _)| name.contains('.')) {
        let none = Kind::Scalar { text: "none".to_owned(), style: Style::Plain };
        let then = if actions.is_empty() { none } else { Kind::Map(actions) };
        entries.push((key("then", span), Node::made(then, span)));
    }
    Node::made(Kind::Map(entries), span)
}

fn key(text: &str, span: Span) -> Key {
    Key { text: text.to_owned(), span }
}

/// Adds an argument to its action.
fn argue(actions: &mut Vec<(Key, Node)>, (action, argument, at): (&str, &str, Span), value: Node) {
    let entry = (key(argument, at), value);
    match actions.iter_mut().find(|(key, _)| key.text == action) {
        Some((_, Node { kind: Kind::Map(arguments), .. })) => arguments.push(entry),
        _ => {
            let span = entry.1.span;
            actions.push((key(action, span), Node::made(Kind::Map(vec![entry]), span)));
        }
    }
}

/// Fields by line: quotes may hold commas, line ends and doubled quotes; lines without any text are left out.
fn split(text: &str) -> Result<Vec<Vec<Cell>>, Diagnostic> {
    let mut lines: Vec<Vec<Cell>> = Vec::new();
    let mut line = Vec::new();
    let mut at = 0;
    loop {
        let (cell, end) = field(text, at)?;
        line.push(cell);
        let rest = &text[end..];
        at = end + if rest.starts_with("\r\n") { 2 } else { 1 };
        if !rest.starts_with(',') {
            lines.push(std::mem::take(&mut line));
        }
        if rest.is_empty() {
            break;
        }
    }
    lines.retain(|line| line.iter().any(|(text, _)| !text.is_empty()));
    Ok(lines)
}

/// The field that begins at an offset, blanks around it taken off, and where it ends.
fn field(text: &str, start: usize) -> Result<(Cell, usize), Diagnostic> {
    let rest = &text[start..];
    if rest.starts_with('"') {
        return quoted(text, start);
    }
    let end = rest.find([',', '\n']).unwrap_or(rest.len());
    let end = if rest[..end].ends_with('\r') && rest[end..].starts_with('\n') { end - 1 } else { end };
    let bare = rest[..end].trim();
    let from = start + (end - rest[..end].trim_start().len());
    let from = if bare.is_empty() { start } else { from };
    Ok(((bare.to_owned(), Span { start: from, end: from + bare.len() }), start + end))
}

fn quoted(text: &str, start: usize) -> Result<(Cell, usize), Diagnostic> {
    let inside = &text[start + 1..];
    let mut at = 0;
    let close = loop {
        let Some(found) = inside[at..].find('"') else {
            return Err(wrong("the quotes do not end", Span { start, end: start + 1 }));
        };
        at += found;
        if !inside[at + 1..].starts_with('"') {
            break at;
        }
        at += 2;
    };
    let end = start + close + 2;
    let after = &text[end..];
    if !(after.is_empty() || after.starts_with([',', '\n']) || after.starts_with("\r\n")) {
        return Err(wrong("a comma or the end of the line is needed behind quotes", Span { start: end, end: end + 1 }));
    }
    let span = Span { start: start + 1, end: end - 1 };
    Ok(((inside[..close].replace("\"\"", "\"").trim().to_owned(), span), end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<Vec<String>> {
        let lines = split(text).expect("it is CSV");
        lines.into_iter().map(|line| line.into_iter().map(|(text, _)| text).collect()).collect()
    }

    #[test]
    fn fields_and_quotes() {
        assert_eq!(texts("a, b ,c\r\n1,,3\n\n"), [["a", "b", "c"], ["1", "", "3"]]);
        assert_eq!(texts("\"x, \"\"y\"\"\",\"two\nlines\""), [["x, \"y\"", "two\nlines"]]);
        assert_eq!(texts("a,"), [["a", ""]]);
        for broken in ["\"a", "\"a\"b,c"] {
            assert_eq!(split(broken).expect_err("broken").code, "HR0245", "{broken}");
        }
    }

    #[test]
    fn places_are_of_the_file() {
        let text = "a,b\n  12 ,\"x\"\n";
        let cells: Vec<&str> = split(text).expect("CSV")[1].iter().map(|(_, s)| &text[s.start..s.end]).collect();
        assert_eq!(cells, ["12", "x"]);
    }

    #[test]
    fn a_row_without_arguments_does_nothing() {
        let mut out = Findings::default();
        let rows = rows("streak,increase.percent,decrease.percent\n>= 3,5,\n< 3,,\n", &mut out).expect("rows");
        let rows = rows.elements().expect("a list");
        assert_eq!(rows[0].get("then").and_then(|then| then.get("increase")?.get("percent")?.text()), Some("5"));
        assert_eq!(rows[1].get("then").and_then(Node::text), Some("none"));
        assert_eq!(rows[1].get("streak").and_then(Node::text), Some("< 3"));
        assert!(out.0.is_empty());
    }
}
