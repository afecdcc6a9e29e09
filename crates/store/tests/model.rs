//! The store against plain maps: any commits, reopened at any point, with and without its memory.

mod common;

use std::collections::{BTreeMap, BTreeSet};

use headroom_engine::{AccountId, Commit, SeenKey, ShardState, Timer, TimerKind, Timestamp};
use headroom_store::{CommitExtra, Store, StoreOptions};
use proptest::prelude::*;

use common::{account, ids, options, without_memory};

const IDS: [&str; 5] = ["a", "ab", "ab c", "b", "é"];

/// Timers in the order in which they fire (PROTOCOL P2).
type TimerOrder = (Timestamp, AccountId, TimerKind, u32);

#[derive(Clone, Default)]
struct Model {
    accounts: BTreeMap<AccountId, u64>,
    timers: BTreeSet<TimerOrder>,
    seen: BTreeMap<SeenKey, u64>,
}

impl Model {
    fn apply(&mut self, commit: &Commit) {
        self.accounts.extend(commit.accounts.iter().map(|each| (each.id.clone(), each.sequence)));
        for removed in &commit.timers_removed {
            self.timers.remove(&order(removed));
        }
        self.timers.extend(commit.timers_added.iter().map(order));
        self.seen.extend(commit.seen.iter().copied());
        self.seen.retain(|key, _| key.day >= commit.state.seen_from_day);
    }

    #[track_caller]
    fn check(&self, store: &mut Store) {
        let loaded = store.load_accounts(&ids(&IDS)).unwrap();
        let loaded: BTreeMap<_, _> = loaded.into_iter().map(|account| (account.id, account.sequence)).collect();
        assert_eq!(loaded, self.accounts);
        let keys: Vec<_> = (0..8).flat_map(|day| (0..6).map(move |hash| SeenKey { day, hash })).rev().collect();
        let expected: Vec<_> = keys.iter().map(|key| self.seen.get(key).copied()).collect();
        assert_eq!(store.seen(&keys).unwrap(), expected);
        for until in [-5, 2, 9] {
            self.check_timers(store, Timestamp(until));
        }
    }

    /// In pages of two.
    #[track_caller]
    fn check_timers(&self, store: &mut Store, until: Timestamp) {
        let mut found: Vec<(AccountId, Timer)> = Vec::new();
        loop {
            let page = store.due_timers(until, found.last(), 2).unwrap();
            found.extend(page.iter().cloned());
            if page.len() < 2 {
                break;
            }
        }
        let due: Vec<_> = self.timers.iter().filter(|each| each.0 <= until).cloned().collect();
        assert_eq!(found.iter().map(order).collect::<Vec<_>>(), due);
    }
}

fn order((id, timer): &(AccountId, Timer)) -> TimerOrder {
    (timer.due, id.clone(), timer.kind, timer.rule)
}

fn timers() -> impl Strategy<Value = Vec<(AccountId, Timer)>> {
    let one = (-9_i64..9, 0..IDS.len(), 0..2_usize, 0_u32..3).prop_map(|(due, id, kind, rule)| {
        (IDS[id].into(), Timer { due: Timestamp(due), kind: TimerKind::ALL[kind], rule })
    });
    proptest::collection::vec(one, 0..6)
}

fn commits() -> impl Strategy<Value = Commit> {
    let accounts = proptest::collection::btree_map(0..IDS.len(), 1_u64..100, 0..4);
    let seen = proptest::collection::btree_map((0_i32..8, 0_u64..6), 0_u64..3, 0..9);
    (accounts, timers(), timers(), seen, 0_i32..5).prop_map(|(accounts, timers_removed, timers_added, seen, day)| {
        Commit {
            accounts: accounts.into_iter().map(|(id, sequence)| account(IDS[id], sequence)).collect(),
            timers_removed,
            timers_added,
            seen: seen.into_iter().map(|((day, hash), content)| (SeenKey { day, hash }, content)).collect(),
            state: ShardState { seen_from_day: day, ..ShardState::default() },
            ..Commit::default()
        }
    })
}

/// The horizon never goes back.
fn advancing(mut commits: Vec<Commit>) -> Vec<Commit> {
    let mut from = 0;
    for commit in &mut commits {
        from = from.max(commit.state.seen_from_day);
        commit.state.seen_from_day = from;
        commit.seen.retain(|(key, _)| key.day >= from);
    }
    commits
}

fn memories() -> impl Strategy<Value = StoreOptions> {
    let small = StoreOptions { accounts_cached_max: 2, seen_cached_max: 7, ..options() };
    prop_oneof![Just(options()), Just(without_memory()), Just(small)]
}

fn commit(store: &mut Store, commit: &Commit) {
    store.commit(commit.clone(), CommitExtra::default()).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn a_store_answers_like_maps(
        steps in proptest::collection::vec((commits(), any::<bool>(), any::<bool>()), 1..6),
        memory in memories(),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let mut model = Model::default();
        let mut store = Store::open(dir.path(), memory.clone()).unwrap();
        let (commits, ends): (Vec<_>, Vec<_>) = steps.into_iter().map(|step| (step.0, (step.1, step.2))).unzip();
        for (each, (flush, reopen)) in advancing(commits).iter().zip(ends) {
            commit(&mut store, each);
            model.apply(each);
            model.check(&mut store);
            if flush {
                store.flush().unwrap();
            }
            if reopen {
                drop(store);
                store = Store::open(dir.path(), memory.clone()).unwrap();
            }
            model.check(&mut store);
        }
    }

    #[test]
    fn the_digest_does_not_know_how_commits_were_cut(
        commits in proptest::collection::vec(commits(), 2..8),
        cut in 1..7_usize,
    ) {
        let mut model = Model::default();
        let commits = advancing(commits);
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut alone = Store::open(one.path(), options()).unwrap();
        for each in &commits {
            model.apply(each);
            commit(&mut alone, each);
        }
        let mut together = Store::open(other.path(), options()).unwrap();
        let (head, tail) = commits.split_at(cut.min(commits.len() - 1));
        for part in [head, tail] {
            commit(&mut together, &merged(part));
        }
        alone.settle().unwrap();
        together.settle().unwrap();
        prop_assert_eq!(alone.reader().digest().unwrap(), together.reader().digest().unwrap());
        together.flush().unwrap();
        prop_assert_eq!(alone.reader().digest().unwrap(), together.reader().digest().unwrap());
        commit(&mut together, &Commit { accounts: vec![account("z", 1)], ..Commit::default() });
        together.settle().unwrap();
        prop_assert_ne!(alone.reader().digest().unwrap(), together.reader().digest().unwrap());
    }
}

/// What happens to staged commits after one more is.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Wait,
    ReleaseOldest,
    ReleaseAll,
    Abandon,
}

fn fates() -> impl Strategy<Value = Fate> {
    prop_oneof![Just(Fate::Wait), Just(Fate::ReleaseOldest), Just(Fate::ReleaseAll), Just(Fate::Abandon)]
}

/// A store and what its owner should read, with a follower that gets the deltas of what is released.
struct Staged {
    store: Store,
    follower: Store,
    /// Released, then after each staged commit.
    models: Vec<Model>,
    deltas: std::collections::VecDeque<(Vec<u8>, u64)>,
    seq: u64,
}

impl Staged {
    fn stage(&mut self, commit: &Commit) {
        let mut model = self.models.last().unwrap().clone();
        // The horizon never goes back, also not where a commit that moved it was abandoned.
        model.apply(commit);
        self.models.push(model);
        self.seq += 1;
        let seq = self.seq;
        let journal = |_: &[u8]| (seq, seq.to_be_bytes().to_vec());
        let delta = self.store.stage(commit.clone(), CommitExtra::default(), journal).unwrap();
        self.deltas.push_back((delta, seq));
    }

    fn release(&mut self) {
        self.store.release().unwrap();
        self.models.remove(0);
        let (delta, seq) = self.deltas.pop_front().unwrap();
        self.follower.apply(&[(&delta, (seq, seq.to_be_bytes().to_vec()))]).unwrap();
    }

    fn meet(&mut self, fate: Fate) {
        match fate {
            Fate::Wait => {}
            Fate::ReleaseOldest => self.release(),
            Fate::ReleaseAll => (0..self.store.staged()).for_each(|_| self.release()),
            Fate::Abandon => {
                self.seq -= self.store.staged() as u64;
                self.store.abandon();
                self.models.truncate(1);
                self.deltas.clear();
            }
        }
    }

    #[track_caller]
    fn check(&mut self) {
        let model = self.models.last().unwrap().clone();
        model.check(&mut self.store);
        let rows = self.store.rows_after(None, 99, |each| each.sequence > 50).unwrap();
        assert_eq!(rows.ids, model.accounts.keys().cloned().collect::<Vec<_>>());
        let chosen = model.accounts.iter().filter(|(_, sequence)| **sequence > 50).map(|(id, _)| id.clone());
        assert_eq!((rows.concerned, rows.end), (chosen.collect(), true));
        self.models[0].clone().check(&mut self.follower);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn what_is_staged_is_read_and_comes_to_nothing_when_it_is_abandoned(
        steps in proptest::collection::vec((commits(), fates()), 1..9),
        memory in memories(),
    ) {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let store = Store::open(one.path(), memory.clone()).unwrap();
        let follower = Store::open(other.path(), memory).unwrap();
        let models = vec![Model::default()];
        let mut staged = Staged { store, follower, models, deltas: Default::default(), seq: 0 };
        let (commits, fates): (Vec<_>, Vec<_>) = steps.into_iter().unzip();
        for (commit, fate) in advancing(commits).iter().zip(fates) {
            staged.stage(commit);
            staged.check();
            staged.meet(fate);
            staged.check();
        }
        staged.meet(Fate::ReleaseAll);
        staged.store.settle().unwrap();
        let (store, follower) = (staged.store.reader(), staged.follower.reader());
        prop_assert_eq!(store.digest().unwrap(), follower.digest().unwrap());
        prop_assert_eq!(store.journal_from(0, 99).unwrap(), follower.journal_from(0, 99).unwrap());
        prop_assert_eq!(store.journal_last().unwrap().map_or(0, |(seq, _)| seq), staged.seq);
    }
}

/// What one step over the same records would have decided.
fn merged(commits: &[Commit]) -> Commit {
    let mut all = Commit::default();
    let mut accounts = BTreeMap::new();
    for commit in commits {
        accounts.extend(commit.accounts.iter().map(|each| (each.id.clone(), each.clone())));
        all.timers_added.retain(|each| !commit.timers_removed.contains(each));
        all.timers_added.extend(commit.timers_added.iter().cloned());
        all.timers_removed.extend(commit.timers_removed.iter().cloned());
        all.seen.extend(commit.seen.iter().copied());
        all.state = commit.state.clone();
    }
    all.accounts = accounts.into_values().collect();
    all
}
