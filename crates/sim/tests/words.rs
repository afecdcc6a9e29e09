//! Conditions over the catalogue's features, in words.

use headroom_engine::catalogue;
use headroom_policy::{Constant, Currency, Expect, Params, Schema, Scope, compile, in_words};

fn of(text: &str) -> String {
    let schema = Schema::new(catalogue().map(|feature| feature.symbol()).collect());
    let money = Constant::Money(vec![(Currency(*b"CNY"), 500), (Currency(*b"GBP"), 50)]);
    let params = Params::from([("most".to_owned(), Constant::Int(150)), ("floor".to_owned(), money)]);
    let scope = Scope { schema: &schema, params: &params };
    in_words(&compile(text, 0, &scope, Expect::Any).unwrap().program)
}

#[test]
fn conditions_read_as_phrases() {
    let cases = [
        ("pct(limit.base, limit.granted) <= p.most", "limit.base is at most 150 % of limit.granted"),
        ("!block.any && delinquency.dpd == 0", "not block.any and delinquency.dpd is 0"),
        ("limit.base >= p.floor", "limit.base is at least CNY 500 or GBP 50"),
        ("account.tier in ['gold', 'platinum']", "account.tier is one of gold, platinum"),
        ("has(model.score) || block.any", "either model.score is known or block.any"),
        ("default(model.score, 3) - 1 > 2", "model.score (3 if unknown) - 1 is above 2"),
        ("min(limit.base, balance.used) < p.zero", "the least of limit.base, balance.used is below 0"),
        ("(block.any || boost.active) && block.any", "(either block.any or boost.active) and block.any"),
    ];
    for (text, expected) in cases {
        assert_eq!(of(text), expected);
    }
}
