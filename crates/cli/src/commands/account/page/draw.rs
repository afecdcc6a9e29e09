//! Bars and colours.

/// Puts text in colours, or leaves it as it is.
#[derive(Clone, Copy)]
pub struct Paint {
    /// In colours.
    pub color: bool,
}

impl Paint {
    /// What the eye should find first.
    pub fn strong(self, text: &str) -> String {
        self.with("1", text)
    }

    /// What may be passed over.
    pub fn faint(self, text: &str) -> String {
        self.with("2", text)
    }

    /// What takes away.
    pub fn less(self, text: &str) -> String {
        self.with("31", text)
    }

    /// What gives.
    pub fn more(self, text: &str) -> String {
        self.with("32", text)
    }

    fn with(self, code: &str, text: &str) -> String {
        if self.color && !text.is_empty() { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// Amounts on a line of so many cells.
#[derive(Clone, Copy)]
pub struct Scale {
    /// The amount at the end of the line, above 0.
    pub full: i64,
    /// Cells.
    pub cells: usize,
}

impl Scale {
    /// A bar between two amounts; what is not nothing has a cell at least.
    pub fn bar(self, from: i64, to: i64, fill: char) -> String {
        let (start, end) = (self.cell(from), self.cell(to));
        let end = if to > from { end.max(start + 1).min(self.cells) } else { end };
        let start = start.min(end.saturating_sub(usize::from(to > from)));
        let mut bar = " ".repeat(start);
        bar.extend(std::iter::repeat_n(fill, end - start));
        bar
    }

    /// The nearest edge between cells.
    fn cell(self, amount: i64) -> usize {
        let amount = i128::from(amount.clamp(0, self.full));
        let (full, cells) = (i128::from(self.full), self.cells as i128);
        usize::try_from((amount * cells + full / 2) / full).unwrap_or(self.cells)
    }
}

/// A column for each amount, as high as its share of the highest.
pub fn sparkline(amounts: &[i64]) -> String {
    const STEPS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let most = amounts.iter().copied().max().unwrap_or(0).max(1);
    let step = |amount: &i64| {
        let share = i128::from((*amount).max(0)) * 7 / i128::from(most);
        if *amount <= 0 { ' ' } else { STEPS[usize::try_from(share).unwrap_or(0).min(7)] }
    };
    amounts.iter().map(step).collect()
}

/// Cut to so many characters, marked if it was.
pub fn cut(text: &str, chars: usize) -> String {
    if text.chars().count() <= chars {
        return text.to_owned();
    }
    let kept: String = text.chars().take(chars.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_to_scale_and_never_vanish() {
        let scale = Scale { full: 100, cells: 10 };
        let bars = [(0, 100), (0, 50), (50, 100), (0, 1), (99, 100), (30, 30), (0, 900)];
        let bars = bars.map(|(from, to)| scale.bar(from, to, '█'));
        let expected = ["██████████", "█████", "     █████", "█", "         █", "   ", "██████████"];
        assert_eq!(bars, expected);
    }

    #[test]
    fn columns_stand_beside_the_highest() {
        assert_eq!(sparkline(&[0, 1, 50, 100]), " ▁▄█");
        assert_eq!((cut("abcdef", 4), cut("abc", 3)), ("abc…".to_owned(), "abc".to_owned()));
    }
}
