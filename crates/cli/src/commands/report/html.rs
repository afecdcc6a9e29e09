//! The few pieces of HTML that the page is made of. Everything is well-formed XML too.

/// Text as it may stand in an element or an attribute.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for each in text.chars() {
        match each {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // Not allowed in either, and nothing to look at.
            each if each.is_control() && each != '\n' => out.push('\u{fffd}'),
            each => out.push(each),
        }
    }
    out
}

/// A section with its heading and a sentence that says what it shows.
pub fn section(id: &str, heading: &str, lead: &str, body: &str) -> String {
    let (heading, lead) = (escape(heading), escape(lead));
    format!(
        "<section id=\"{id}\" aria-labelledby=\"{id}-heading\">\n<h2 id=\"{id}-heading\">{heading}</h2>\n\
         <p class=\"lead\">{lead}</p>\n{body}</section>\n"
    )
}

/// A heading within a section.
pub fn heading(text: &str) -> String {
    format!("<h3>{}</h3>\n", escape(text))
}

/// One cell of a table.
pub enum Cell {
    /// Words.
    Text(String),
    /// Words in fixed-width letters.
    Code(String),
    /// Right-aligned.
    Number(String),
    /// A drawing, already HTML.
    Drawing(String),
}

impl Cell {
    fn html(&self) -> String {
        match self {
            Self::Text(text) => format!("<td>{}</td>", escape(text)),
            Self::Code(text) => format!("<td><code>{}</code></td>", escape(text)),
            Self::Number(text) => format!("<td class=\"number\">{}</td>", escape(text)),
            Self::Drawing(html) => format!("<td class=\"drawing\">{html}</td>"),
        }
    }

    fn class(&self) -> &'static str {
        match self {
            Self::Number(_) => " class=\"number\"",
            Self::Drawing(_) => " class=\"drawing\"",
            Self::Text(_) | Self::Code(_) => "",
        }
    }
}

/// A table; a heading is aligned as the cells below it.
pub fn table(caption: &str, headings: &[&str], rows: &[Vec<Cell>]) -> String {
    let mut out = format!("<div class=\"scroll\"><table>\n<caption>{}</caption>\n<thead><tr>", escape(caption));
    for (at, heading) in headings.iter().enumerate() {
        let class = rows.first().and_then(|row| row.get(at)).map_or("", Cell::class);
        out.push_str(&format!("<th scope=\"col\"{class}>{}</th>", escape(heading)));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for row in rows {
        let cells: String = row.iter().map(Cell::html).collect();
        out.push_str(&format!("<tr>{cells}</tr>\n"));
    }
    out.push_str("</tbody></table></div>\n");
    out
}

/// What opens on a click: the numbers behind a drawing.
pub fn details(summary: &str, body: &str) -> String {
    format!("<details><summary>{}</summary>\n{body}</details>\n", escape(summary))
}

/// A drawing with what its colours mean above it, and its numbers behind it.
pub fn figure(legend: &[(&str, &str)], drawing: &str) -> String {
    let mut out = String::from("<figure>\n");
    if !legend.is_empty() {
        out.push_str("<ul class=\"legend\">");
        for (class, name) in legend {
            out.push_str(&format!("<li><span class=\"swatch {class}\"></span>{}</li>", escape(name)));
        }
        out.push_str("</ul>\n");
    }
    out.push_str(drawing);
    out.push_str("</figure>\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_was_written_becomes_markup() {
        assert_eq!(escape("<b a=\"1\">&\u{1}"), "&lt;b a=&quot;1&quot;&gt;&amp;\u{fffd}");
        let rows = [vec![Cell::Text("<i>".to_owned()), Cell::Number("1".to_owned())]];
        let table = table("c", &["a", "b"], &rows);
        assert!(table.contains("<td>&lt;i&gt;</td><td class=\"number\">1</td>"), "{table}");
        assert!(table.contains("<th scope=\"col\" class=\"number\">b</th>"), "{table}");
    }
}
