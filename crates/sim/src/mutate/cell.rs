//! Cells of decision tables: `>= 12`, `6..11`, `0`. A table has neither gaps nor overlaps, so a border between two
//! rows moves in all cells that it bounds at once.

use std::collections::BTreeSet;

/// What a cell of whole numbers says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Cell {
    From(i64),
    Above(i64),
    Below(i64),
    To(i64),
    Between(i64, i64),
    Exactly(i64),
}

/// A cell from its number.
type Make = fn(i64) -> Cell;

/// Longer signs first.
const SIGNS: [(&str, Make); 4] = [(">=", Cell::From), ("<=", Cell::To), (">", Cell::Above), ("<", Cell::Below)];

impl Cell {
    fn of(text: &str) -> Option<Self> {
        let number = |text: &str| text.trim().replace('_', "").parse::<i64>().ok();
        let text = text.trim();
        if let Some((sign, cell)) = SIGNS.iter().find(|(sign, _)| text.starts_with(sign)) {
            return number(&text[sign.len()..]).map(cell);
        }
        match text.split_once("..") {
            Some((low, high)) => Some(Cell::Between(number(low)?, number(high)?)),
            None => number(text).map(Cell::Exactly),
        }
    }

    /// The numbers at which something else begins.
    fn borders(self) -> Vec<i64> {
        match self {
            Cell::From(at) | Cell::Below(at) => vec![at],
            Cell::Above(at) | Cell::To(at) => vec![at + 1],
            Cell::Between(low, high) => vec![low, high + 1],
            Cell::Exactly(at) => vec![at, at + 1],
        }
    }

    /// With the border at `at` moved; `None` if nothing would be left of it.
    fn moved(self, at: i64, by: i64) -> Option<Self> {
        let to = |each: i64| if each == at { each + by } else { each };
        let (low, high) = match self {
            Cell::From(low) => return Some(Cell::From(to(low))),
            Cell::Below(high) => return Some(Cell::Below(to(high))),
            Cell::Above(low) => return Some(Cell::Above(to(low + 1) - 1)),
            Cell::To(high) => return Some(Cell::To(to(high + 1) - 1)),
            Cell::Between(low, high) => (to(low), to(high + 1) - 1),
            Cell::Exactly(only) => (to(only), to(only + 1) - 1),
        };
        (low <= high).then_some(if low == high { Cell::Exactly(low) } else { Cell::Between(low, high) })
    }

    fn text(self) -> String {
        match self {
            Cell::From(at) => format!(">= {at}"),
            Cell::Above(at) => format!("> {at}"),
            Cell::Below(at) => format!("< {at}"),
            Cell::To(at) => format!("<= {at}"),
            Cell::Between(low, high) => format!("{low}..{high}"),
            Cell::Exactly(at) => at.to_string(),
        }
    }
}

/// Every border of a column moved one down and one up: for each the cells that change, by position, and what they then
/// say. Cells that are no whole numbers stay.
pub fn moved_borders(cells: &[&str]) -> Vec<Vec<(usize, String)>> {
    let read: Vec<Option<Cell>> = cells.iter().map(|cell| Cell::of(cell)).collect();
    let borders: BTreeSet<i64> = read.iter().flatten().flat_map(|cell| cell.borders()).collect();
    let moves = borders.iter().flat_map(|at| [(*at, -1), (*at, 1)]);
    moves.filter_map(|(at, by)| moved(&read, at, by)).collect()
}

fn moved(cells: &[Option<Cell>], at: i64, by: i64) -> Option<Vec<(usize, String)>> {
    let touched = cells.iter().enumerate().filter_map(|(position, cell)| Some((position, (*cell)?)));
    let touched = touched.filter(|(_, cell)| cell.borders().contains(&at));
    touched.map(|(position, cell)| Some((position, cell.moved(at, by)?.text()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_border_moves_in_all_its_cells() {
        let found = moved_borders(&[">= 12", "6..11", "< 6", "-"]);
        let text = |position: usize, text: &str| (position, text.to_owned());
        assert_eq!(
            found,
            [
                vec![text(1, "5..11"), text(2, "< 5")],
                vec![text(1, "7..11"), text(2, "< 7")],
                vec![text(0, ">= 11"), text(1, "6..10")],
                vec![text(0, ">= 13"), text(1, "6..12")],
            ]
        );
    }

    #[test]
    fn a_cell_of_one_number_grows_and_never_vanishes() {
        let found = moved_borders(&["0", ">= 1"]);
        assert!(found.contains(&vec![(0, "0..1".to_owned()), (1, ">= 2".to_owned())]), "{found:?}");
        assert!(!found.iter().flatten().any(|(_, text)| text.contains("0..-1")), "{found:?}");
    }
}
