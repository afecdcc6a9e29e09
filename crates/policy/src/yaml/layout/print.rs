//! Writing a document.

use super::comments::{Comment, comments, extent};
use super::scalar::{is_plain, is_plain_in_flow, quoted, wrapped};
use super::{Layout, WIDTH};
use crate::diagnostic::Span;
use crate::yaml::{Key, Kind, Node, Style};

pub fn print(text: &str, root: &Node, layout: &Layout) -> String {
    let mut printer = Printer { text, comments: comments(text, root), layout, out: String::new() };
    printer.document(root);
    printer.out
}

/// A child of a map or list and what stands around it.
struct Child<'a> {
    key: Option<&'a Key>,
    node: &'a Node,
    /// Own lines before it.
    above: Vec<Comment>,
    /// Behind it, on its line.
    beside: Option<Comment>,
    /// An empty line stands before it.
    apart: bool,
}

/// Children in the order of the file, and the comments that stand behind the last.
struct Children<'a> {
    list: Vec<Child<'a>>,
    below: Vec<Comment>,
}

struct Printer<'a> {
    text: &'a str,
    comments: Vec<Comment>,
    layout: &'a Layout,
    out: String,
}

impl<'a> Printer<'a> {
    fn document(&mut self, root: &'a Node) {
        let region = Span { start: 0, end: self.text.len() };
        let mut children = self.children(root, region);
        // What stands above the first entry is about the file: it stays there if that entry moves.
        if let Some(first) = children.list.first_mut() {
            let head = std::mem::take(&mut first.above);
            let blank = self.layout.keeps_form
                && head.last().is_some_and(|last| self.is_blank_between(last.span.end, first.start()));
            head.iter().for_each(|each| self.own_line(each, 0));
            if blank {
                self.out.push('\n');
            }
        }
        match &root.kind {
            Kind::Map(_) | Kind::Seq(_) => self.block(children, 0, &[]),
            Kind::Scalar { .. } | Kind::Null => {
                self.out.push_str(self.text);
            }
        }
    }

    /// A `#` line.
    fn own_line(&mut self, comment: &Comment, indent: usize) {
        let text = &self.text[comment.span.start..comment.span.end];
        self.out.push_str(&format!("{:indent$}{text}\n", ""));
    }

    fn is_blank_between(&self, from: usize, to: usize) -> bool {
        let lines: Vec<&str> = self.text.get(from..to).unwrap_or_default().split('\n').collect();
        let whole = lines.get(1..lines.len() - 1).unwrap_or_default();
        whole.iter().any(|line| line.trim().is_empty())
    }

    /// The children of a map or list whose comments lie in a region.
    fn children(&self, node: &'a Node, region: Span) -> Children<'a> {
        let nodes: Vec<(Option<&'a Key>, &'a Node)> = match &node.kind {
            Kind::Map(entries) => entries.iter().map(|(key, node)| (Some(key), node)).collect(),
            Kind::Seq(elements) => elements.iter().map(|node| (None, node)).collect(),
            Kind::Scalar { .. } | Kind::Null => Vec::new(),
        };
        let mut list: Vec<Child<'a>> = Vec::new();
        let mut from = region.start;
        for (key, node) in nodes {
            let start = key.map_or(node.span.start, |key| key.span.start);
            let mut above = self.between(from, start);
            if let Some(last) = list.last_mut() {
                last.beside = beside(self.text, from, &mut above);
            }
            let first = above.first().map_or(start, |each| each.span.start);
            let apart = !list.is_empty() && self.is_blank_between(from, first);
            list.push(Child { key, node, above, beside: None, apart });
            from = self.end(node).max(start);
        }
        let mut below = self.between(from, region.end);
        if let Some(last) = list.last_mut() {
            last.beside = beside(self.text, from, &mut below);
        }
        Children { list, below }
    }

    fn between(&self, from: usize, to: usize) -> Vec<Comment> {
        self.comments.iter().copied().filter(|each| (from..to).contains(&each.span.start)).collect()
    }

    /// Where a node ends; of a block with what stands on its last line.
    fn end(&self, node: &Node) -> usize {
        match &node.kind {
            Kind::Scalar { style, .. } => extent(self.text, node.span, *style).end,
            Kind::Map(_) | Kind::Seq(_) if !self.is_flow(node) => {
                let end = self.last(node);
                self.text[end..].find('\n').map_or(self.text.len(), |at| end + at)
            }
            _ => self.last(node),
        }
    }

    /// Where the last scalar in a block ends.
    fn last(&self, node: &Node) -> usize {
        let child = match &node.kind {
            Kind::Map(entries) => entries.last().map(|(_, node)| node),
            Kind::Seq(elements) => elements.last(),
            Kind::Scalar { .. } | Kind::Null => None,
        };
        match (&node.kind, child) {
            (Kind::Scalar { style, .. }, _) => extent(self.text, node.span, *style).end,
            (Kind::Null, _) => node.span.end,
            (_, child) if self.is_flow(node) => {
                self.behind_bracket(child.map_or(node.span.start + 1, |child| self.last(child)))
            }
            (_, Some(child)) => self.last(child),
            (_, None) => node.span.end,
        }
    }

    /// The byte behind the bracket that closes a map or list: the parser also counts what follows it on the line.
    fn behind_bracket(&self, from: usize) -> usize {
        let mut at = from;
        loop {
            let rest = &self.text[at..];
            let blank = rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n', ',']).len();
            match rest[blank..].find('\n').filter(|_| rest[blank..].starts_with('#')) {
                Some(line) => at += blank + line,
                None => return (at + blank + 1).min(self.text.len()),
            }
        }
    }

    /// Whether a map or list is written with brackets.
    fn is_flow(&self, node: &Node) -> bool {
        self.text[node.span.start..].starts_with(['{', '['])
    }

    fn ordered(&self, mut list: Vec<Child<'a>>, path: &[&str]) -> Vec<Child<'a>> {
        let order = (self.layout.order)(path);
        let place = |child: &Child<'_>| {
            let key = child.key.map_or("", |key| key.text.as_str());
            order.iter().position(|each| *each == key).unwrap_or(order.len())
        };
        list.sort_by_key(place);
        list
    }

    /// A map or list with a line for each child.
    fn block(&mut self, children: Children<'a>, indent: usize, path: &[&str]) {
        let is_open = (self.layout.is_open)(path);
        for (nth, child) in self.ordered(children.list, path).into_iter().enumerate() {
            if nth > 0 && (is_open || (child.apart && self.layout.keeps_form)) {
                self.out.push('\n');
            }
            child.above.iter().for_each(|each| self.own_line(each, indent));
            match child.key {
                Some(key) => self.entry(key, &child, indent, path),
                None => self.element(&child, indent, path),
            }
        }
        children.below.iter().for_each(|each| self.own_line(each, indent));
    }

    fn entry(&mut self, key: &'a Key, child: &Child<'a>, indent: usize, path: &[&str]) {
        let written = &self.text[key.span.start..key.span.end];
        self.out.push_str(&format!("{:indent$}{written}:", ""));
        let path: Vec<&str> = path.iter().copied().chain([key.text.as_str()]).collect();
        self.value(child, key.span.end, indent, &path);
    }

    fn element(&mut self, child: &Child<'a>, indent: usize, path: &[&str]) {
        let path: Vec<&str> = path.iter().copied().chain(["[]"]).collect();
        let is_map = matches!(&child.node.kind, Kind::Map(entries) if !entries.is_empty());
        let region = Span { start: child.node.span.start, end: self.end(child.node) };
        if !is_map || self.flow(child, region, indent + 2, &path).is_some() {
            self.out.push_str(&format!("{:indent$}-", ""));
            return self.value(child, child.node.span.start, indent, &path);
        }
        let at = self.out.len();
        self.block(self.children(child.node, region), indent + 2, &path);
        if let Some(comment) = child.beside {
            self.own_line(&comment, indent + 2);
        }
        // The first key stands behind the dash.
        self.out.replace_range(at + indent..=at + indent, "-");
    }

    /// What stands behind `key:` or `-`.
    fn value(&mut self, child: &Child<'a>, from: usize, indent: usize, path: &[&str]) {
        let before = self.between(from, child.node.span.start);
        let is_scalar = matches!(child.node.kind, Kind::Scalar { .. } | Kind::Null);
        let (above, beside): (Vec<Comment>, Vec<Comment>) = before.into_iter().partition(|each| each.own_line);
        if is_scalar {
            self.insert_above(&above, indent);
        }
        let inner = beside.last().map_or(from, |each| each.span.end);
        let mut remarks: Vec<Comment> = beside.into_iter().chain(child.beside).collect();
        if remarks.len() > 1 {
            // Two remarks on one line would become one.
            let rest = remarks.split_off(1);
            self.insert_above(&rest, indent);
        }
        let region = Span { start: inner, end: self.end(child.node) };
        let (head, lines) = self.written(child, region, indent, path);
        self.out.push_str(&head);
        for each in remarks {
            self.out.push_str(&format!("  {}", &self.text[each.span.start..each.span.end]));
        }
        self.out.push('\n');
        self.below(lines, child, region, indent, path);
    }

    /// Puts comments above the line that is being written.
    fn insert_above(&mut self, comments: &[Comment], indent: usize) {
        let start = self.out.rfind('\n').map_or(0, |at| at + 1);
        let text = |each: &Comment| format!("{:indent$}{}\n", "", &self.text[each.span.start..each.span.end]);
        self.out.insert_str(start, &comments.iter().map(text).collect::<String>());
    }

    fn below(&mut self, lines: Lines, child: &Child<'a>, region: Span, indent: usize, path: &[&str]) {
        match lines {
            Lines::None => {}
            Lines::Of(lines) => {
                for line in lines {
                    let line = format!("{:width$}{line}", "", width = indent + 2);
                    self.out.push_str(line.trim_end());
                    self.out.push('\n');
                }
            }
            Lines::Children => self.block(self.children(child.node, region), indent + 2, path),
        }
    }

    /// What stands on the key's line, and what below it.
    fn written(&self, child: &Child<'a>, region: Span, indent: usize, path: &[&str]) -> (String, Lines) {
        let column = self.column();
        match &child.node.kind {
            Kind::Null => {
                let written = &self.text[child.node.span.start..child.node.span.end];
                (if written.is_empty() { String::new() } else { format!(" {written}") }, Lines::None)
            }
            Kind::Scalar { text, style } => self.scalar(child.node, text, *style, indent, path),
            Kind::Map(_) | Kind::Seq(_) => match self.flow(child, region, column, path) {
                Some(flow) => (format!(" {flow}"), Lines::None),
                None => (String::new(), Lines::Children),
            },
        }
    }

    fn column(&self) -> usize {
        let start = self.out.rfind('\n').map_or(0, |at| at + 1);
        self.out[start..].chars().count()
    }

    fn scalar(&self, node: &Node, text: &str, style: Style, indent: usize, path: &[&str]) -> (String, Lines) {
        if let Some(one_line) = (self.layout.lines)(path, text, WIDTH.saturating_sub(self.column() + 1)) {
            let as_block = (self.layout.as_block)(path);
            return match one_line.as_slice() {
                [line] if !as_block && is_plain(line) => (format!(" {line}"), Lines::None),
                _ => {
                    let lines = (self.layout.lines)(path, text, WIDTH.saturating_sub(indent + 2));
                    (" |".to_owned(), Lines::Of(lines.unwrap_or(one_line)))
                }
            };
        }
        let written = &self.text[node.span.start..node.span.end];
        let is_block = matches!(style, Style::Literal | Style::Folded);
        if !is_block && !written.contains('\n') {
            return (format!(" {written}"), Lines::None);
        }
        self.paragraph(text, indent)
    }

    /// A text of several lines, or one that was folded to one.
    fn paragraph(&self, text: &str, indent: usize) -> (String, Lines) {
        let body = text.trim_end_matches('\n');
        let ends = text.len() - body.len();
        if body.contains('\n') || body.starts_with(' ') {
            let chomp = ["-", "", "+"][ends.min(2)];
            let blank = std::iter::repeat_n(String::new(), ends.saturating_sub(1));
            return (format!(" |{chomp}"), Lines::Of(body.split('\n').map(str::to_owned).chain(blank).collect()));
        }
        let fits = self.column() + 1 + body.chars().count() <= WIDTH;
        match (fits, is_plain(body)) {
            (true, true) => (format!(" {body}"), Lines::None),
            (true, false) => (format!(" {}", quoted(body)), Lines::None),
            (false, _) => (" >-".to_owned(), Lines::Of(wrapped(body, indent + 2))),
        }
    }

    /// A map or list on one line, if that fits and says everything.
    fn flow(&self, child: &Child<'a>, region: Span, column: usize, path: &[&str]) -> Option<String> {
        let node = child.node;
        let count = match &node.kind {
            Kind::Map(entries) => entries.len(),
            Kind::Seq(elements) => elements.len(),
            Kind::Scalar { .. } | Kind::Null => 1,
        };
        let spread = (self.layout.has_lines)(path, count) || (self.layout.is_open)(path) || self.is_of_open(path);
        let keeps = self.layout.keeps_form && !self.is_flow(node);
        let crowded = !self.between(region.start, region.end).is_empty();
        if count > 0 && (keeps || crowded || spread) {
            return None;
        }
        let flat = self.flat(node, path)?;
        (column + 1 + flat.chars().count() <= WIDTH).then_some(flat)
    }

    /// Whether a path is that of an element of an open list.
    fn is_of_open(&self, path: &[&str]) -> bool {
        path.last() == Some(&"[]") && (self.layout.is_open)(&path[..path.len() - 1])
    }

    fn flat(&self, node: &'a Node, path: &[&str]) -> Option<String> {
        match &node.kind {
            Kind::Null => None,
            Kind::Scalar { text, style } => self.flat_scalar(node, text, *style, path),
            Kind::Map(_) => {
                let region = node.span;
                let children = self.ordered(self.children(node, region).list, path);
                let parts: Option<Vec<String>> = children.iter().map(|each| self.flat_entry(each, path)).collect();
                Some(format!("{{{}}}", parts?.join(", ")))
            }
            Kind::Seq(elements) => {
                let path: Vec<&str> = path.iter().copied().chain(["[]"]).collect();
                let parts: Option<Vec<String>> = elements.iter().map(|each| self.flat(each, &path)).collect();
                Some(format!("[{}]", parts?.join(", ")))
            }
        }
    }

    fn flat_entry(&self, child: &Child<'a>, path: &[&str]) -> Option<String> {
        let key = child.key?;
        let path: Vec<&str> = path.iter().copied().chain([key.text.as_str()]).collect();
        Some(format!("{}: {}", &self.text[key.span.start..key.span.end], self.flat(child.node, &path)?))
    }

    fn flat_scalar(&self, node: &Node, text: &str, style: Style, path: &[&str]) -> Option<String> {
        if let Some(lines) = (self.layout.lines)(path, text, usize::MAX) {
            return match lines.as_slice() {
                [line] if is_plain_in_flow(line) && !(self.layout.as_block)(path) => Some(line.clone()),
                _ => None,
            };
        }
        let written = &self.text[node.span.start..node.span.end];
        let fine = match style {
            Style::Plain => is_plain_in_flow(written),
            Style::Quoted => !written.contains('\n'),
            Style::Literal | Style::Folded => false,
        };
        fine.then(|| written.to_owned())
    }
}

impl Child<'_> {
    fn start(&self) -> usize {
        self.key.map_or(self.node.span.start, |key| key.span.start)
    }
}

/// What stands below a key's line.
enum Lines {
    None,
    Of(Vec<String>),
    Children,
}

/// Takes the first comment off a list if it stands on the line that goes on at `from`.
fn beside(text: &str, from: usize, comments: &mut Vec<Comment>) -> Option<Comment> {
    let first = comments.first()?;
    let same_line = !first.own_line && !text.get(from..first.span.start)?.contains('\n');
    same_line.then(|| comments.remove(0))
}
