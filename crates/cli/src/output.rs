//! Where results go: stdout, as tables or as JSON.

use std::io::{self, IsTerminal, Write};

use anyhow::Result;
use clap::{Args, ValueEnum};
use comfy_table::Table;
use comfy_table::presets::NOTHING;
use headroom_node::view::Item;

use crate::failure::Usage;

/// A longer list gets a line for each of its elements.
const LINE_CHARS_MAX: usize = 80;

/// How results are shown.
#[derive(Args, Clone, Copy, Debug)]
pub struct Output {
    /// How to print results
    #[arg(long, global = true, value_enum, default_value_t = Format::Table)]
    pub format: Format,
    /// No progress bars
    #[arg(long, short, global = true)]
    pub quiet: bool,
}

/// The forms of a result.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// For people
    Table,
    /// One JSON object, for machines
    Json,
    /// One page for a browser: `rules conflicts` has it
    Html,
}

impl Output {
    /// Prints a result.
    pub fn print(&self, item: &Item) -> Result<()> {
        match self.format {
            Format::Json => line(&item.json()),
            Format::Table => text(&table(item)),
            Format::Html => no_page(),
        }
    }

    /// Prints a result that people get to read as a text of its own.
    pub fn print_as(&self, item: &Item, prose: &str) -> Result<()> {
        match self.format {
            Format::Json => line(&item.json()),
            Format::Table => line(prose.trim_end()),
            Format::Html => no_page(),
        }
    }
}

/// Before a command is run `main` asks whether it has a page, so nothing was done when this is said.
fn no_page() -> Result<()> {
    Err(Usage(NO_PAGE.to_owned()).into())
}

/// What is said where `--format html` is asked of a command without a page.
pub const NO_PAGE: &str = "only `rules conflicts` has a page: for others take `--format table` or `json`";

/// Whether findings on stderr may be coloured.
pub fn color() -> bool {
    io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}

/// Whether results may be coloured.
pub fn color_on_stdout() -> bool {
    io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}

/// Columns of the terminal that results go to; `COLUMNS` where there is none to ask, else 100.
pub fn width() -> usize {
    let told = || std::env::var("COLUMNS").ok()?.parse().ok();
    let asked = console::Term::stdout().size_checked().map(|(_, columns)| usize::from(columns));
    asked.or_else(told).unwrap_or(100).max(60)
}

/// Prints a line to stdout.
pub fn line(line: &str) -> Result<()> {
    text(&format!("{line}\n"))
}

/// Prints a text to stdout as it is.
pub fn text(text: &str) -> Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    Ok(stdout.flush()?)
}

/// Named parts one below the other; parts that have parts follow with a heading.
fn table(item: &Item) -> String {
    let mut out = String::new();
    match item {
        Item::Fields(parts) => section(parts, "", &mut out),
        other => out.push_str(&cell(other)),
    }
    out
}

fn section(parts: &[(String, Item)], indent: &str, out: &mut String) {
    let (plain, nested): (Vec<_>, Vec<_>) = parts.iter().partition(|(_, item)| is_plain(item));
    let width = plain.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    for (name, item) in plain {
        let row = format!("{indent}{:width$}  {}", name, cell(item));
        out.push_str(row.trim_end());
        out.push('\n');
    }
    for (name, item) in nested {
        if indent.is_empty() && !out.is_empty() {
            out.push('\n');
        }
        out.push_str(&format!("{indent}{}:\n", name));
        let deeper = format!("{indent}  ");
        match item {
            Item::Fields(parts) => section(parts, &deeper, out),
            Item::List(rows) => out.push_str(&grid(rows, &deeper)),
            _ => {}
        }
    }
}

/// Shown on one line: no parts, or a short list of such.
fn is_plain(item: &Item) -> bool {
    match item {
        Item::Fields(parts) => parts.is_empty(),
        Item::List(items) if items.iter().any(|each| matches!(each, Item::Fields(_) | Item::List(_))) => false,
        Item::List(_) => cell(item).chars().count() <= LINE_CHARS_MAX,
        _ => true,
    }
}

/// Rows with the same parts, as columns.
fn grid(rows: &[Item], indent: &str) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING);
    if let Some(Item::Fields(parts)) = rows.first() {
        table.set_header(parts.iter().map(|(name, _)| name));
    }
    for row in rows {
        match row {
            Item::Fields(parts) => table.add_row(parts.iter().map(|(_, item)| cell(item))),
            other => table.add_row([cell(other)]),
        };
    }
    table.lines().map(|line| format!("{indent}{}\n", line.strip_prefix(' ').unwrap_or(&line).trim_end())).collect()
}

fn cell(item: &Item) -> String {
    match item {
        Item::Null => "-".to_owned(),
        Item::Bool(value) => if *value { "yes" } else { "no" }.to_owned(),
        Item::Number(value) => grouped(*value),
        Item::Text(text) => text.clone(),
        Item::List(items) if items.is_empty() => "none".to_owned(),
        Item::Fields(parts) if parts.is_empty() => "none".to_owned(),
        Item::List(items) => items.iter().map(cell).collect::<Vec<_>>().join(", "),
        Item::Fields(parts) => {
            let part = |(name, item): &(String, Item)| format!("{} {}", name, cell(item));
            parts.iter().map(part).collect::<Vec<_>>().join(", ")
        }
    }
}

/// Thousands apart, as rules write them: `2_400_000`.
pub fn grouped(value: i128) -> String {
    let digits = value.unsigned_abs().to_string();
    let mut text = String::from(if value < 0 { "-" } else { "" });
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push('_');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        let texts = [0, 999, -1_000, 12_345_678].map(grouped);
        assert_eq!(texts, ["0", "999", "-1_000", "12_345_678"]);
    }

    #[test]
    fn parts_of_parts_get_headings() {
        let row = |day: &str, amount: i64| Item::fields([("day", day.into()), ("amount", amount.into())]);
        let item = Item::fields([
            ("id", "M1".into()),
            ("refused", Item::fields([("NO_CUSTOMER", 3_u64.into())])),
            ("last_seen", Item::Null),
            ("days", Item::list([row("2025-11-10", 1_000), row("2025-11-11", 5)])),
            ("none_of_them", Item::List(Vec::new())),
        ]);
        let expected = "\
id            M1
last_seen     -
none_of_them  none

refused:
  NO_CUSTOMER  3

days:
  day         amount
  2025-11-10  1_000
  2025-11-11  5
";
        assert_eq!(table(&item), expected);
    }
}
