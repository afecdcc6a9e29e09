//! Stored forms: nothing is lost, one account has one form, the contract describes it, damage is an error.

use headroom_engine::{Account, AccountId, ShardState, Timestamp};
use headroom_wire::{
    StoredError, decode_account, decode_ruleset, decode_state, encode_account, encode_ruleset, encode_state, proto,
};
use proptest::prelude::*;
use prost::Message;

use crate::account::{random_account, random_state};
use crate::fill::Dice;
use crate::mutation::damage;

fn stored_state(state: &ShardState) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_state(state, &mut bytes);
    bytes
}

fn stored(account: &Account) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_account(account, &mut bytes);
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 5_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_account_comes_back_as_it_was(seed: u64) {
        let account = random_account(&mut Dice(seed));
        prop_assert_eq!(decode_account(&stored(&account)).unwrap(), account);
    }

    #[test]
    fn a_shard_comes_back_as_it_was(seed: u64) {
        let state = random_state(&mut Dice(seed));
        prop_assert_eq!(decode_state(&stored_state(&state)).unwrap(), state);
    }

    #[test]
    fn the_contract_describes_the_stored_form(seed: u64) {
        let bytes = stored(&random_account(&mut Dice(seed)));
        let message = proto::StoredAccount::decode(&bytes[1..]).unwrap();
        prop_assert_eq!(message.encode_to_vec(), &bytes[1..]);
    }
}

#[test]
fn a_stored_account_is_appended() {
    let account = Account::provisional(AccountId::from("A"), Timestamp(5), 0);
    let mut bytes = b"before".to_vec();
    encode_account(&account, &mut bytes);
    assert_eq!(decode_account(&bytes[6..]), Ok(account));
}

#[test]
fn a_ruleset_comes_back_as_it_was() {
    let file = proto::ruleset_published::File { path: "a.rule.yaml".into(), content: "id: a".into() };
    let ruleset = proto::RulesetPublished { content_hash: "ab".into(), files: vec![file] };
    let mut bytes = Vec::new();
    encode_ruleset(&ruleset, &mut bytes);
    assert_eq!(decode_ruleset(&bytes), Ok(ruleset));
    bytes.pop();
    assert!(matches!(decode_ruleset(&bytes), Err(StoredError::Damaged { .. })));
}

#[test]
fn a_later_layout_is_refused_by_its_number() {
    let mut bytes = stored(&Account::provisional(AccountId::from("A"), Timestamp(5), 0));
    bytes[0] = 2;
    assert_eq!(decode_account(&bytes), Err(StoredError::Newer { found: 2, known: 1 }));
    bytes[0] = 0;
    assert!(matches!(decode_account(&bytes), Err(StoredError::Damaged { .. })));
    assert!(matches!(decode_account(&[]), Err(StoredError::Damaged { .. })));
}

/// Bit 13 was an account's next monthly look: who ignored it would leave the account without one.
#[test]
fn an_account_of_a_build_whose_looks_were_no_timers_is_refused() {
    let bytes = stored(&Account::provisional(AccountId::from("A"), Timestamp(5), 0));
    let mut message = proto::StoredAccount::decode(&bytes[1..]).unwrap();
    message.present |= 1 << 13;
    let old = [&bytes[..1], &message.encode_to_vec()].concat();
    assert!(matches!(decode_account(&old), Err(StoredError::Damaged { .. })));
}

#[test]
fn an_unknown_field_is_refused_because_it_would_be_lost() {
    let mut bytes = stored(&Account::provisional(AccountId::from("A"), Timestamp(5), 0));
    bytes.extend([0xf8, 0x07, 0x01]);
    let error = decode_account(&bytes).unwrap_err();
    assert_eq!(error.to_string(), "damaged: account, field 127: unknown field");
}

/// How many of 60,000 damaged values are refused.
fn refused<T>(form: fn(&mut Dice) -> Vec<u8>, read: fn(&[u8]) -> Result<T, StoredError>) -> usize {
    let mut dice = Dice(4);
    let samples: Vec<Vec<u8>> = (0..500).map(|_| form(&mut dice)).collect();
    let damaged = (0..60_000).map(|round: usize| {
        let mut bytes = samples[round % samples.len()].clone();
        damage(&mut bytes, &mut dice);
        bytes
    });
    damaged.filter(|bytes| read(bytes).is_err()).count()
}

#[test]
fn damaged_values_never_panic() {
    assert!(refused(|dice| stored(&random_account(dice)), decode_account) > 10_000);
    assert!(refused(|dice| stored_state(&random_state(dice)), decode_state) > 10_000);
}
