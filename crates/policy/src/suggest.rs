//! "Did you mean": the nearest known name by edit distance.

/// The candidate that a misspelt name probably means, or `None` if nothing is near.
///
/// A candidate that ends in the written last segment counts as near, so `dpd` finds `delinquency.dpd`; and so does
/// one that begins like the written name, or the other way round.
/// Ties go to the candidate that comes first.
pub fn suggest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (name.chars().count() / 3).clamp(1, 4);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let distance = distance(name, candidate);
        if distance <= limit && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        } else if best.is_none() && alike(name, candidate) {
            best = Some((limit + 1, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

fn alike(name: &str, candidate: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or(name);
    let tail = candidate.rsplit_once('.').map(|(_, tail)| tail);
    let begins = |long: &str, short: &str| short.len() >= 3 && long.starts_with(short);
    tail == Some(last) || begins(candidate, name) || begins(name, candidate)
}

/// Edits (insert, delete, replace, swap neighbours) that turn `a` into `b`, case ignored.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.to_lowercase().chars().collect();
    let b: Vec<char> = b.to_lowercase().chars().collect();
    let mut before = vec![0; b.len() + 1];
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let replaced = above[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = replaced.min(above[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_counted() {
        assert_eq!(distance("dpd", "dpd"), 0);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("swpa", "swap"), 1);
        assert_eq!(distance("Kitten", "sitting"), 3);
    }

    #[test]
    fn the_nearest_wins_and_far_ones_are_not_named() {
        let names = ["limit.base", "limit.granted", "delinquency.dpd"];
        assert_eq!(suggest("limit.bass", names), Some("limit.base"));
        assert_eq!(suggest("dpd", names), Some("delinquency.dpd"));
        assert_eq!(suggest("weather.rain", names), None);
        assert_eq!(suggest("limit.gr", names), Some("limit.granted"));
    }
}
