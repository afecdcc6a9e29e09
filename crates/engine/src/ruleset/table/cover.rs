//! Whether rows leave a gap, overlap, or can never match: exact, over the ranges of the columns.
//!
//! A value is a point on a line of whole numbers (see `cells`), a cell a set of them, a row a box. Columns count as
//! independent: where the domain ties them, a row for an impossible input is still asked for.

use std::collections::BTreeSet;

/// Points of one column: intervals with both ends, ascending, apart from each other.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Set(Vec<(i128, i128)>);

/// How many pieces of tables are looked at before the check gives up.
const PIECES_MAX: usize = 400_000;

/// The table has more pieces than can be looked at.
#[derive(Debug)]
pub struct TooLarge;

impl Set {
    /// From intervals in any order.
    pub fn of(mut parts: Vec<(i128, i128)>) -> Self {
        parts.retain(|(low, high)| low <= high);
        parts.sort_unstable();
        let mut joined: Vec<(i128, i128)> = Vec::new();
        for (low, high) in parts {
            match joined.last_mut() {
                Some(last) if low <= last.1.saturating_add(1) => last.1 = last.1.max(high),
                _ => joined.push((low, high)),
            }
        }
        Set(joined)
    }

    /// What is in both.
    pub fn and(&self, other: &Set) -> Set {
        let pairs = self.0.iter().flat_map(|a| other.0.iter().map(move |b| (a.0.max(b.0), a.1.min(b.1))));
        Set::of(pairs.collect())
    }

    /// What is in either.
    pub fn or(&self, other: &Set) -> Set {
        Set::of(self.0.iter().chain(&other.0).copied().collect())
    }

    /// What is in this and not in the other.
    pub fn less(&self, other: &Set) -> Set {
        let mut rest = self.0.clone();
        for &(low, high) in &other.0 {
            let cut = |(a, b): (i128, i128)| [(a, b.min(low.saturating_sub(1))), (a.max(high.saturating_add(1)), b)];
            rest = rest.into_iter().flat_map(cut).filter(|(a, b)| a <= b).collect();
        }
        Set::of(rest)
    }

    /// Its least point, `None` if it is empty.
    pub fn least(&self) -> Option<i128> {
        self.0.first().map(|(low, _)| *low)
    }

    fn contains(&self, point: i128) -> bool {
        self.0.iter().any(|(low, high)| (*low..=*high).contains(&point))
    }
}

/// A box: one set for each column.
pub type Box = Vec<Set>;

/// A point in both boxes.
pub fn shared(left: &Box, right: &Box) -> Option<Vec<i128>> {
    left.iter().zip(right).map(|(left, right)| left.and(right).least()).collect()
}

/// A point of `space` that is in none of the boxes.
pub fn uncovered(space: &Box, boxes: &[&Box]) -> Result<Option<Vec<i128>>, TooLarge> {
    let mut search = Search { space, boxes, covered: BTreeSet::new(), pieces: 0 };
    search.from(0, (0..boxes.len()).collect())
}

struct Search<'a> {
    space: &'a Box,
    boxes: &'a [&'a Box],
    /// Columns and the boxes left at them that are known to leave no gap.
    covered: BTreeSet<(usize, Vec<usize>)>,
    pieces: usize,
}

impl Search<'_> {
    /// A gap among the columns from `column` on, given the boxes that hold what was chosen before.
    fn from(&mut self, column: usize, left: Vec<usize>) -> Result<Option<Vec<i128>>, TooLarge> {
        let Some(range) = self.space.get(column) else {
            return Ok(left.is_empty().then(Vec::new));
        };
        if left.is_empty() {
            return Ok(self.space[column..].iter().map(Set::least).collect());
        }
        self.pieces += 1;
        if self.pieces > PIECES_MAX {
            return Err(TooLarge);
        }
        if self.covered.contains(&(column, left.clone())) {
            return Ok(None);
        }
        for point in self.beginnings(range, column, &left) {
            let inside = left.iter().copied().filter(|at| self.boxes[*at][column].contains(point)).collect();
            if let Some(mut rest) = self.from(column + 1, inside)? {
                rest.insert(0, point);
                return Ok(Some(rest));
            }
        }
        self.covered.insert((column, left));
        Ok(None)
    }

    /// A point of every piece into which the boxes cut a column.
    fn beginnings(&self, range: &Set, column: usize, left: &[usize]) -> Vec<i128> {
        let cells = left.iter().flat_map(|at| &self.boxes[*at][column].0);
        let cuts = cells.flat_map(|(low, high)| [*low, high.saturating_add(1)]);
        let ends = range.0.iter().map(|(low, _)| *low);
        let points: BTreeSet<i128> = cuts.chain(ends).filter(|point| range.contains(*point)).collect();
        points.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(parts: &[(i128, i128)]) -> Set {
        Set::of(parts.to_vec())
    }

    #[test]
    fn sets_join_cut_and_meet() {
        assert_eq!(set(&[(5, 9), (0, 4)]), set(&[(0, 9)]));
        assert_eq!(set(&[(0, 9)]).less(&set(&[(3, 4)])), set(&[(0, 2), (5, 9)]));
        assert_eq!(set(&[(0, 9)]).and(&set(&[(8, 20)])), set(&[(8, 9)]));
        assert_eq!(set(&[(3, 1)]).least(), None);
    }

    /// Every table over two small columns agrees with looking at each point.
    #[test]
    fn the_search_agrees_with_looking_everywhere() {
        let space = vec![set(&[(0, 3)]), set(&[(0, 3)])];
        let mut state = 7_u64;
        let mut next = |below: i128| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            i128::from(state >> 33) % below
        };
        let (mut gaps, mut full) = (0, 0);
        for _ in 0..4_000 {
            let boxes: Vec<Box> = (0..5)
                .map(|_| {
                    let mut side = || {
                        let (low, wide) = (next(4), next(5));
                        set(&[(low - 1, low - 1 + wide)])
                    };
                    vec![side(), side()]
                })
                .collect();
            let all: Vec<&Box> = boxes.iter().collect();
            let inside = |point: &[i128]| boxes.iter().any(|each| each.iter().zip(point).all(|(s, p)| s.contains(*p)));
            let everywhere = (0..4).flat_map(|x| (0..4).map(move |y| [x, y])).find(|point| !inside(point));
            match uncovered(&space, &all).expect("small") {
                Some(point) => {
                    gaps += 1;
                    assert!(!inside(&point), "{point:?} of {boxes:?}");
                    assert!(everywhere.is_some());
                }
                None => {
                    full += 1;
                    assert_eq!(everywhere, None, "{boxes:?}");
                }
            }
        }
        assert!(gaps > 500 && full > 100, "{gaps} {full}");
    }
}
