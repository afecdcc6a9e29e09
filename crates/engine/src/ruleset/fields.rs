//! Fields of a YAML map, read with their places: what is missing, unknown or misshapen is found, all of it at once.

use headroom_policy::yaml::{Key, Kind, Node};
use headroom_policy::{Currency, Diagnostic, Span, suggest};

use crate::stack::MoneyTable;
use crate::time::{DAY, HOUR, MINUTE};

/// What is wrong with a file, in the order of discovery.
#[derive(Debug, Default)]
pub struct Findings(pub Vec<Diagnostic>);

impl Findings {
    /// The value, or nothing and its finding noted.
    pub fn take<T>(&mut self, result: Result<T, Diagnostic>) -> Option<T> {
        result.map_err(|finding| self.0.push(finding)).ok()
    }

    /// Notes a finding.
    pub fn add(&mut self, finding: Diagnostic) {
        self.0.push(finding);
    }
}

/// A map whose keys are known.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a> {
    entries: &'a [(Key, Node)],
    span: Span,
    what: &'a str,
}

impl<'a> Fields<'a> {
    /// The map in a node; other shapes and unknown keys are noted. `what` names it in messages: "a rule".
    pub fn of(node: &'a Node, what: &'a str, known: &[&str], out: &mut Findings) -> Option<Self> {
        let entries = match &node.kind {
            Kind::Null => &[],
            _ => out.take(entries(node, what))?,
        };
        for (key, _) in entries.iter().filter(|(key, _)| !known.contains(&key.text.as_str())) {
            let message = format!("`{}` is no key of {what}", key.text);
            out.add(near(Diagnostic::error("HR0201", message, key.span), &key.text, known.iter().copied()));
        }
        Some(Self { entries, span: node.span, what })
    }

    /// The value of a key, if it is given.
    pub fn get(&self, key: &str) -> Option<&'a Node> {
        let (_, node) = self.entries.iter().find(|(each, _)| each.text == key)?;
        (node.kind != Kind::Null).then_some(node)
    }

    /// The value of a key that must be given.
    pub fn need(&self, key: &str, out: &mut Findings) -> Option<&'a Node> {
        let found = self.get(key);
        if found.is_none() {
            out.add(self.missing(key));
        }
        found
    }

    /// That a key is missing. The mark is on the map's first line: a long map would drown the message.
    pub fn missing(&self, key: &str) -> Diagnostic {
        let at = self.entries.first().map_or(self.span, |(first, _)| first.span);
        Diagnostic::error("HR0202", format!("{} needs `{key}`", self.what), at)
    }

    /// Where a key stands; the map, if it does not.
    pub fn place(&self, key: &str) -> Span {
        let found = self.entries.iter().find(|(each, _)| each.text == key);
        found.map_or(self.span, |(each, _)| each.span)
    }

    /// A value that must be given, read.
    pub fn read<T>(
        &self,
        key: &str,
        out: &mut Findings,
        read: impl FnOnce(&'a Node) -> Result<T, Diagnostic>,
    ) -> Option<T> {
        let node = self.need(key, out)?;
        out.take(read(node))
    }

    /// A value that may be given, read; the other value if it is absent.
    pub fn read_or<T>(
        &self,
        key: &str,
        other: T,
        out: &mut Findings,
        read: impl FnOnce(&'a Node) -> Result<T, Diagnostic>,
    ) -> T {
        match self.get(key) {
            Some(node) => out.take(read(node)).unwrap_or(other),
            None => other,
        }
    }
}

/// The finding with the nearest known word as advice, or the whole list if it is short and nothing is near.
pub fn near<'a>(finding: Diagnostic, word: &str, known: impl Iterator<Item = &'a str>) -> Diagnostic {
    let known: Vec<&str> = known.collect();
    match suggest(word, known.iter().copied()) {
        Some(found) => finding.help(format!("did you mean `{found}`?")),
        None if (1..=16).contains(&known.len()) => finding.help(format!("one of `{}`", known.join("`, `"))),
        None => finding,
    }
}

fn shape(node: &Node, wanted: &str) -> Diagnostic {
    Diagnostic::error("HR0203", format!("{wanted} is needed here, found {}", node.what()), node.span)
}

/// The entries of a map.
pub fn entries<'a>(node: &'a Node, what: &str) -> Result<&'a [(Key, Node)], Diagnostic> {
    let wrong = || Diagnostic::error("HR0203", format!("{what}: a map is needed, found {}", node.what()), node.span);
    node.entries().ok_or_else(wrong)
}

/// The text of a value, not empty.
pub fn text(node: &Node) -> Result<&str, Diagnostic> {
    let found = node.text().ok_or_else(|| shape(node, "a value"))?;
    let found = found.trim();
    if found.is_empty() { Err(Diagnostic::error("HR0203", "the text is empty", node.span)) } else { Ok(found) }
}

/// The same, owned.
pub fn owned(node: &Node) -> Result<String, Diagnostic> {
    text(node).map(str::to_owned)
}

/// A word of a closed list.
pub fn word<T: Copy>(node: &Node, what: &str, all: &[T], name: fn(T) -> &'static str) -> Result<T, Diagnostic> {
    let written = text(node)?;
    let found = all.iter().copied().find(|each| name(*each) == written);
    found.ok_or_else(|| {
        let finding = Diagnostic::error("HR0204", format!("`{written}` is no {what}"), node.span);
        near(finding, written, all.iter().map(|each| name(*each)))
    })
}

/// The elements of a list; a single value is a list of one.
pub fn list(node: &Node) -> Result<Vec<&Node>, Diagnostic> {
    match &node.kind {
        Kind::Seq(elements) => Ok(elements.iter().collect()),
        Kind::Scalar { .. } => Ok(vec![node]),
        Kind::Map(_) | Kind::Null => Err(shape(node, "a value or a list of values")),
    }
}

/// A list whose elements are read one by one; each wrong one is noted.
pub fn each<'a, T>(
    node: &'a Node,
    out: &mut Findings,
    mut read: impl FnMut(&'a Node) -> Result<T, Diagnostic>,
) -> Vec<T> {
    let elements = out.take(list(node)).unwrap_or_default();
    elements.into_iter().filter_map(|element| out.take(read(element))).collect()
}

/// A snake_case name: letters, digits and underscores, a letter first.
pub fn snake(node: &Node) -> Result<String, Diagnostic> {
    let written = text(node)?;
    let fine = is_snake(written);
    fine.then(|| written.to_owned()).ok_or_else(|| {
        let message = format!("`{written}` is no name of lower-case letters, digits and underscores");
        Diagnostic::error("HR0205", message, node.span)
    })
}

/// Whether a word is snake_case.
pub fn is_snake(word: &str) -> bool {
    let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    word.starts_with(|c: char| c.is_ascii_lowercase()) && word.chars().all(fine)
}

/// `true` or `false`.
pub fn yes(node: &Node) -> Result<bool, Diagnostic> {
    match text(node)? {
        "true" => Ok(true),
        "false" => Ok(false),
        other => Err(Diagnostic::error("HR0206", format!("`{other}` is neither `true` nor `false`"), node.span)),
    }
}

/// A whole number between two bounds; `_` may group its digits.
pub fn whole(node: &Node, least: i64, most: i64) -> Result<i64, Diagnostic> {
    let written = text(node)?;
    let wrong = |message: String| Diagnostic::error("HR0207", message, node.span);
    let number = digits(written).ok_or_else(|| wrong(format!("`{written}` is no whole number")))?;
    if (least..=most).contains(&number) {
        return Ok(number);
    }
    Err(wrong(format!("`{written}` lies outside {least} to {most}")))
}

fn digits(written: &str) -> Option<i64> {
    let (sign, rest) = match written.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", written),
    };
    let plain = rest.starts_with(|c: char| c.is_ascii_digit()) && !rest.ends_with('_');
    let bare: String = rest.chars().filter(|c| *c != '_').collect();
    (plain && bare.bytes().all(|byte| byte.is_ascii_digit())).then(|| format!("{sign}{bare}").parse().ok())?
}

/// Milliseconds of a duration in whole minutes, hours or days: `15m`, `3h`, `30d`.
pub fn duration(node: &Node) -> Result<i64, Diagnostic> {
    let written = text(node)?;
    parse_duration(written).ok_or_else(|| not_a_duration(written, node.span))
}

/// That a text is no duration.
pub fn not_a_duration(written: &str, span: Span) -> Diagnostic {
    Diagnostic::error("HR0208", format!("`{written}` is no duration"), span)
        .help("write whole minutes, hours or days: `15m`, `3h`, `30d`")
}

/// Milliseconds of `15m`, `3h`, `30d`.
pub fn parse_duration(written: &str) -> Option<i64> {
    let units = [('m', MINUTE), ('h', HOUR), ('d', DAY)];
    let (unit, millis) = units.into_iter().find(|(unit, _)| written.ends_with(*unit))?;
    let count = digits(written.strip_suffix(unit)?).filter(|count| (0..=36_500).contains(count))?;
    Some(count * millis)
}

/// Digits after the decimal point of a currency: 2, but for those that have no smaller unit.
fn decimals(currency: Currency) -> usize {
    match &currency.0 {
        b"JPY" | b"KRW" => 0,
        _ => 2,
    }
}

/// An amount of minor units as people write it; two digits after the point where the currency is not known.
pub fn written_amount(minor: i128, currency: Option<Currency>) -> String {
    match currency.map_or(2, decimals) {
        0 => minor.to_string(),
        _ => {
            let sign = if minor < 0 { "-" } else { "" };
            format!("{sign}{}.{:02}", minor.abs() / 100, minor.abs() % 100)
        }
    }
}

/// Minor units of an amount: a decimal with exactly two digits after the point, or none for JPY and KRW.
pub fn amount(node: &Node, currency: Option<Currency>) -> Result<i64, Diagnostic> {
    let written = text(node)?;
    let wanted = currency.map_or(2, decimals);
    parse_amount(written, wanted).ok_or_else(|| {
        let finding = Diagnostic::error("HR0209", format!("`{written}` is no amount of money"), node.span);
        finding.help(if wanted == 0 {
            "write whole units, like `10_000`"
        } else {
            "write two digits after the point, like `10_000.00`"
        })
    })
}

fn parse_amount(written: &str, decimals: usize) -> Option<i64> {
    let (units, rest) = match written.split_once('.') {
        Some((units, rest)) => (units, rest),
        None => (written, ""),
    };
    let fine = rest.len() == decimals
        && rest.bytes().all(|byte| byte.is_ascii_digit())
        && written.contains('.') == (decimals > 0);
    let minor = digits(&format!("{units}{rest}"))?;
    // Ten to the fifteenth is the bound of every amount on the wire.
    (fine && digits(units).is_some() && minor.abs() <= 1_000_000_000_000_000).then_some(minor)
}

/// Amounts by currency: `{CNY: 10_000.00, GBP: 1_000.00}`; each wrong one is noted.
pub fn money_table(node: &Node, out: &mut Findings) -> MoneyTable {
    let found = out.take(entries(node, "a table of amounts by currency")).unwrap_or_default();
    found.iter().filter_map(|(key, node)| out.take(money_entry(key, node))).collect()
}

/// One entry of such a table.
pub fn money_entry(key: &Key, node: &Node) -> Result<(Currency, i64), Diagnostic> {
    let currency: Currency = key
        .text
        .parse()
        .map_err(|error: headroom_policy::CurrencyError| Diagnostic::error("HR0209", error.to_string(), key.span))?;
    amount(node, Some(currency)).map(|amount| (currency, amount))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_whole_minutes_hours_or_days() {
        assert_eq!(parse_duration("15m"), Some(15 * MINUTE));
        assert_eq!(parse_duration("0d"), Some(0));
        assert_eq!(parse_duration("30d"), Some(30 * DAY));
        for wrong in ["", "d", "15", "1.5h", "-3h", "3s", "3 h", "99999999999d"] {
            assert_eq!(parse_duration(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn amounts_are_exact() {
        assert_eq!(parse_amount("10_000.00", 2), Some(1_000_000));
        assert_eq!(parse_amount("-0.05", 2), Some(-5));
        assert_eq!(parse_amount("1_000", 0), Some(1_000));
        for wrong in ["10", "10.", ".50", "10.0", "10.000", "1e3.00", "9_999_999_999_999_999.00", "1.2.3", "1.-5"] {
            assert_eq!(parse_amount(wrong, 2), None, "{wrong}");
        }
        assert_eq!(parse_amount("10.00", 0), None);
    }
}
