//! Errors and warnings with their place in the file, and their rendering.

use annotate_snippets::{AnnotationKind, Element, Level, Renderer, Snippet, normalize_untrusted_str};

/// Bytes `start..end` of the rule file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Severity {
    /// The rule cannot be used.
    Error,
    /// The rule works, but probably not as meant.
    Warning,
}

/// One finding about a rule file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagnostic {
    /// A stable code; the rule language's own are in [`CODES`].
    pub code: &'static str,
    /// Error or warning.
    pub severity: Severity,
    /// What is wrong: lower case, no full stop, user input in backticks.
    pub message: String,
    /// Where.
    pub span: Span,
    /// A few words under the marked text; may be empty.
    pub label: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error without label and help.
    pub fn error(code: &'static str, message: impl Into<String>, span: Span) -> Self {
        Diagnostic { code, severity: Severity::Error, message: message.into(), span, label: String::new(), help: None }
    }

    /// A warning without label and help.
    pub fn warning(code: &'static str, message: impl Into<String>, span: Span) -> Self {
        Diagnostic { severity: Severity::Warning, ..Diagnostic::error(code, message, span) }
    }

    /// The same with words under the marked text.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// The same with advice.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// The codes of this crate, each with its title, for the error pages.
pub const CODES: &[(&str, &str)] = &[
    ("HR0100", "the expression is too long or nested too deeply"),
    ("HR0101", "a character or literal that the rule language does not have"),
    ("HR0102", "the expression does not parse"),
    ("HR0103", "a number does not fit 64 bits"),
    ("HR0104", "a part of CEL that the rule language does not have"),
    ("HR0110", "an unknown name"),
    ("HR0111", "an unknown function"),
    ("HR0112", "a wrong number of arguments"),
    ("HR0113", "a feature name is needed here"),
    ("HR0120", "the types do not fit"),
    ("HR0121", "not a value of this enum"),
    ("HR0122", "arithmetic that money does not have"),
    ("HR0123", "`pct` outside a comparison with a constant"),
    ("HR0130", "a condition that can only have one outcome"),
    ("HR0131", "an expression that always fails"),
    ("HR0140", "the YAML does not parse"),
    ("HR0141", "a part of YAML that rule files do not have"),
    ("HR0142", "a key is given twice"),
    ("HR0143", "the file is too large or nested too deeply"),
    ("HR0144", "a file that the formatter leaves as it is"),
];

/// Renders findings against the text of their file, in order, each with its lines and advice.
pub fn render(file_name: &str, file_text: &str, diagnostics: &[Diagnostic], color: bool) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let blocks: Vec<String> =
        diagnostics.iter().map(|diagnostic| render_one(&renderer, file_name, file_text, diagnostic)).collect();
    let mut out = blocks.join("\n\n");
    if !out.is_empty() {
        out.push('\n');
    }
    out
}

fn render_one(renderer: &Renderer, name: &str, text: &str, diagnostic: &Diagnostic) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let span = inside(text, diagnostic.span);
    let mark = AnnotationKind::Primary.span(span.start..span.end);
    let mark = match diagnostic.label.as_str() {
        "" => mark,
        label => mark.label(normalize_untrusted_str(label)),
    };
    let snippet = Snippet::source(text).path(name).annotation(mark);
    let help = diagnostic.help.as_deref().map(normalize_untrusted_str);
    let help = help.map(|help| Element::from(Level::HELP.message(help)));
    let group = level
        .primary_title(normalize_untrusted_str(&diagnostic.message))
        .id(diagnostic.code)
        .element(snippet)
        .elements(help);
    renderer.render(&[group])
}

/// The span moved into the text and onto character boundaries: a finding must never make rendering fail.
fn inside(text: &str, span: Span) -> Span {
    let start = text.floor_char_boundary(span.start.min(text.len()));
    let end = text.ceil_char_boundary(span.end.clamp(start, text.len()));
    Span { start, end }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_outside_the_text_still_render() {
        let odd = Diagnostic::error("HR0102", "odd", Span { start: 1, end: 900 }).help("none");
        let text = render("r.yaml", "é\n", &[odd], false);
        assert!(text.contains("error[HR0102]: odd"), "{text}");
    }

    #[test]
    fn codes_are_unique_and_ascending() {
        assert!(CODES.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }
}
