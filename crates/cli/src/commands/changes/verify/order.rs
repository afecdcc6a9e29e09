//! What can be said of outputs only together: sequences without gaps, ids that are unique.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use headroom_wire::proto::output::Body;

use super::{Finding, finding};

/// What was seen so far: about 50 bytes per output, 60 per account.
#[derive(Default)]
pub struct Order {
    outputs: u64,
    /// Line by id.
    ids: HashMap<u128, u64>,
    /// The last sequence of each account.
    sequences: HashMap<String, u64>,
}

impl Order {
    /// How many outputs came.
    pub fn outputs(&self) -> u64 {
        self.outputs
    }

    /// How many accounts had changes.
    pub fn accounts(&self) -> usize {
        self.sequences.len()
    }

    /// Takes the next output.
    pub fn take(&mut self, line: u64, body: &Body) -> Vec<Finding> {
        self.outputs += 1;
        let id = match body {
            Body::LimitChange(change) => &change.id,
            Body::Offer(offer) => &offer.id,
            Body::Review(review) => &review.id,
            Body::Notice(notice) => &notice.id,
            Body::DeadLetter(_) => return Vec::new(),
        };
        let mut found: Vec<Finding> = self.id(line, id).into_iter().collect();
        if let Body::LimitChange(change) = body {
            found.extend(self.sequence(&change.account_id, change.sequence));
        }
        found
    }

    fn id(&mut self, line: u64, id: &str) -> Option<Finding> {
        let number = u128::from_str_radix(id, 16).ok().filter(|_| id.len() == 32);
        let Some(number) = number else { return Some(finding("id", format!("`{id}` is no id of 32 hex digits"))) };
        match self.ids.entry(number) {
            Entry::Occupied(first) => Some(finding("id", format!("`{id}` stands in line {} too", first.get()))),
            Entry::Vacant(place) => {
                place.insert(line);
                None
            }
        }
    }

    fn sequence(&mut self, account: &str, sequence: u64) -> Option<Finding> {
        let Some(last) = self.sequences.get_mut(account) else {
            self.sequences.insert(account.to_owned(), sequence);
            return None;
        };
        let expected = last.saturating_add(1);
        // What came twice does not make the next one a gap.
        *last = sequence.max(*last);
        let words = || format!("{sequence} where {expected} comes next");
        (sequence != expected).then(|| finding("sequence", words()))
    }
}
