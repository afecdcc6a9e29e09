//! The events that are known but not yet emitted: today's by the hour, later ones by the day.

use std::collections::VecDeque;

use super::calendar::{DAY, HOUR};
use super::draft::{Draft, What};
use super::random::Dice;

/// Of a million events, so many come twice.
const TWICE_PER_MILLION: u64 = 1_000;
/// Of a million that may come late, so many do; about half of all may.
const LATE_PER_MILLION: u64 = 4_000;

/// Bounded by what the accounts do in the few days that lie ahead of the latest emitted event.
#[derive(Debug)]
pub(super) struct Timeline {
    /// Unix seconds.
    midnight: i64,
    end: i64,
    hours: [Vec<Draft>; 24],
    later: VecDeque<Vec<Draft>>,
    noise: Dice,
    /// The number of the latest event.
    last_id: u64,
    held: u64,
    /// The most events that were held at one time.
    pub(super) held_max: u64,
}

impl Timeline {
    pub(super) fn new(seed: u64, start: i64, end: i64) -> Self {
        Timeline {
            midnight: start,
            end,
            hours: Default::default(),
            later: VecDeque::new(),
            noise: Dice::new(seed ^ 0x006E_6F69_7365),
            last_id: 0,
            held: 0,
            held_max: 0,
        }
    }

    /// Adds what happens to an account, sometimes twice, sometimes late. Returns the number of the event.
    pub(super) fn add(&mut self, account: u32, at: i64, what: What) -> u64 {
        self.last_id += 1;
        let id = self.last_id;
        let late = self.lateness(&what);
        let draft = Draft { recorded: at + i64::from(late), late, account, id, again: false, what };
        if self.noise.per_million(TWICE_PER_MILLION) && draft.what.may_come_twice() {
            let after = self.noise.between(1, HOUR - 1);
            self.repeat(&draft, after);
        }
        self.keep(draft);
        id
    }

    /// Adds what happens to everybody, once and in time.
    pub(super) fn announce(&mut self, at: i64, what: What) {
        self.last_id += 1;
        let id = self.last_id;
        self.keep(Draft { recorded: at, late: 0, account: super::draft::EVERYBODY, id, again: false, what });
    }

    /// Takes the events of one hour of today, in their order. Their memory goes with them: the hours of a promotion
    /// would keep too much of it.
    pub(super) fn take_hour(&mut self, hour: usize) -> Vec<Draft> {
        self.held_max = self.held_max.max(self.held);
        let mut drafts = std::mem::take(&mut self.hours[hour]);
        self.held -= drafts.len() as u64;
        drafts.sort_unstable_by_key(Draft::key);
        drafts
    }

    pub(super) fn next_day(&mut self) {
        self.midnight += DAY;
        let today = self.later.pop_front().unwrap_or_default();
        self.held -= today.len() as u64;
        today.into_iter().for_each(|draft| self.keep(draft));
    }

    fn lateness(&mut self, what: &What) -> u32 {
        if !what.may_be_late() || !self.noise.per_million(LATE_PER_MILLION) {
            return 0;
        }
        // From two minutes to two days, short ones more often.
        let most = if self.noise.permille(700) { 2 * HOUR } else { 2 * DAY };
        u32::try_from(self.noise.between(120, most)).expect("two days of seconds fit")
    }

    fn repeat(&mut self, draft: &Draft, after: i64) {
        let later = u32::try_from(after).expect("an hour of seconds fits");
        let again = Draft { recorded: draft.recorded + after, late: draft.late + later, again: true, ..draft.clone() };
        self.keep(again);
    }

    /// Drops what lies beyond the season.
    fn keep(&mut self, draft: Draft) {
        assert!(draft.recorded >= self.midnight, "nothing is added to a day that is over");
        if draft.recorded >= self.end {
            return;
        }
        self.held += 1;
        let list = match index((draft.recorded - self.midnight) / DAY) {
            0 => &mut self.hours[index((draft.recorded - self.midnight) / HOUR)],
            days => self.later_day(days - 1),
        };
        list.push(draft);
    }

    fn later_day(&mut self, days: usize) -> &mut Vec<Draft> {
        if self.later.len() <= days {
            self.later.resize_with(days + 1, Vec::new);
        }
        &mut self.later[days]
    }
}

fn index(count: i64) -> usize {
    usize::try_from(count).expect("not below 0")
}
