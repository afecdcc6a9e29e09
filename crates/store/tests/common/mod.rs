//! What the tests of the store share.
#![expect(dead_code, reason = "every test file takes what it needs")]

use std::path::Path;
use std::sync::Arc;

use headroom_engine::{
    Account, AccountId, ChangeKind, Class, Commit, DeadLetter, LimitChange, Notice, Offer, Output, Position, Priority,
    Refusal, RefusalCode, Review, RuleRef, Stack, StackView, Timestamp, TriggerRef,
};
use headroom_store::{CommitExtra, Durability, OutputKind, SharedMemory, Store, StoreOptions};

/// Small and quick: what survives a kill is tested without waiting for a disk.
pub fn options() -> StoreOptions {
    StoreOptions {
        durability: Durability::Process,
        memory: SharedMemory::new(4 << 20, 8 << 20),
        write_buffer_bytes: 1 << 20,
        ..StoreOptions::default()
    }
}

/// Nothing is answered from memory of this crate.
pub fn without_memory() -> StoreOptions {
    StoreOptions { accounts_cached_max: 0, seen_cached_max: 0, ..options() }
}

pub fn open(dir: &Path) -> Store {
    Store::open(dir, options()).unwrap()
}

pub fn account(id: &str, sequence: u64) -> Box<Account> {
    let mut account = Account::provisional(id.into(), Timestamp(1_000), 3);
    account.sequence = sequence;
    account.volume = -7;
    Box::new(account)
}

/// An output of a kind and an account; the store keeps the bytes that it is given beside it.
pub fn output(kind: OutputKind, account: &str) -> Output {
    let (id, account, at) = (1, Arc::from(account), Timestamp(0));
    let trigger =
        TriggerRef { name: String::new(), event_id: String::new(), source: String::new(), at, position: None };
    let rule = RuleRef { id: "r".into(), number: 1, hash: "".into() };
    match kind {
        OutputKind::LimitChange => limit_change(account, trigger),
        OutputKind::Offer => Output::Offer(Box::new(Offer {
            id,
            account,
            currency: None,
            class: Class::Increase,
            amount: 0,
            created_at: at,
            expires_at: at,
            rule,
            reasons: Vec::new(),
            ruleset_hash: "".into(),
            trigger,
            trace: None,
        })),
        OutputKind::Notice => Output::Notice(Box::new(Notice {
            id,
            account,
            template: String::new(),
            public_reasons: Vec::new(),
            internal_reasons: Vec::new(),
            text_en: String::new(),
            text_zh: String::new(),
            can_do: Vec::new(),
            created_at: at,
            due: at,
            change_id: None,
            rule_id: String::new(),
        })),
        OutputKind::Review => Output::Review(Box::new(Review {
            id,
            account,
            kind: String::new(),
            blocking: false,
            priority: Priority::Normal,
            rule_id: String::new(),
            reasons: Vec::new(),
            created_at: at,
            proposal: None,
            currency: None,
            cause: None,
            detail: String::new(),
            trigger,
            trace: None,
        })),
        OutputKind::DeadLetter => dead_letter(&account),
    }
}

fn limit_change(account: AccountId, trigger: TriggerRef) -> Output {
    let view = StackView { stack: Stack::default(), limits: Stack::default().limits(0, 0, 0, Timestamp(0)) };
    Output::LimitChange(Box::new(LimitChange {
        id: 1,
        account,
        sequence: 1,
        kind: ChangeKind::Increase,
        currency: None,
        before: view.clone(),
        after: view,
        block: None,
        effective_at: Timestamp(0),
        expires_at: None,
        reasons: Vec::new(),
        rule: None,
        ruleset_hash: "".into(),
        overridden: Vec::new(),
        guards_applied: Vec::new(),
        trigger,
        notice_due: None,
        trace: None,
    }))
}

fn dead_letter(account: &str) -> Output {
    let position = Position { input: "in".into(), partition: 0, offset: 0 };
    Output::DeadLetter(Box::new(DeadLetter {
        refusal: Refusal::new(RefusalCode::NoKey, String::new()),
        account: account.to_owned(),
        original: Vec::new(),
        encoding: "json",
        original_sha256: None,
        around: None,
        position,
        at: Timestamp(0),
    }))
}

/// Outputs with the bytes that stand for them.
pub fn outputs(mut commit: Commit, outputs: Vec<(Output, Vec<u8>)>) -> (Commit, CommitExtra) {
    let (made, encoded) = outputs.into_iter().unzip();
    commit.outputs = made;
    (commit, CommitExtra { outputs: encoded, ..CommitExtra::default() })
}

/// Outputs of nobody.
pub fn with_outputs(commit: Commit, bytes: &[&[u8]]) -> (Commit, CommitExtra) {
    outputs(commit, bytes.iter().map(|bytes| (dead_letter(""), bytes.to_vec())).collect())
}

pub fn ids(ids: &[&str]) -> Vec<AccountId> {
    ids.iter().map(|id| Arc::from(*id)).collect()
}

/// The files of the database with an ending, largest first.
pub fn files(dir: &Path, ending: &str) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(dir.join("db")).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.filter(|path| path.to_str().unwrap().ends_with(ending)).collect();
    files.sort_by_key(|path| std::cmp::Reverse(path.metadata().unwrap().len()));
    files
}

pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}
