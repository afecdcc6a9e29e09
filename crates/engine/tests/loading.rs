//! What files say arrives in the ruleset.

use headroom_engine::{
    Action, Amount, Cause, DAY, FactType, HOUR, HoldOf, HoldSpec, MINUTE, On, OnUnknown, Once, Reader, Ruleset, Scope,
    Segment, Tier, TimeBase, TimeExpr, TriggerKind, catalogue, fact_key,
};
use headroom_policy::{Constant, Currency};

const CNY: Currency = Currency(*b"CNY");
const GBP: Currency = Currency(*b"GBP");

fn file(path: &str, text: &str) -> (String, String) {
    (path.to_owned(), text.to_owned())
}

fn rule(id: &str, number: u32, body: &str) -> (String, String) {
    let head = format!("id: {id}\nnumber: {number}\ntitle: {{en: A test, zh: 测试}}\nwhy: To be read.\nowner: risk\n");
    file(&format!("any/{id}.rule.yaml"), &format!("{head}since: 2026-11-22\nfamily: fraud\nreason: TEST\n{body}"))
}

fn load(files: &[(String, String)]) -> Ruleset {
    let rendered = |reports: Vec<headroom_engine::FileReport>| -> String {
        reports.iter().map(|report| report.render(false)).collect()
    };
    Ruleset::load(files).unwrap_or_else(|reports| panic!("{}", rendered(reports)))
}

fn one(body: &str) -> headroom_engine::Rule {
    load(&[rule("one", 1, body)]).rules.remove(0)
}

#[test]
fn rules_come_by_number_and_are_found_by_trigger() {
    let freeze = "class: freeze\non_unknown: review\ncause: volatility\nthen: {freeze: {scope: cash}}\n";
    let ruleset = load(&[
        rule("late", 20, &format!("{freeze}on: [order_placed, fact fraud.list_hit]\nwhen: block.active\n")),
        rule("early", 3, &format!("{freeze}on: order_placed\nwhen: orders.large_24h >= 2\n")),
    ]);
    let ids: Vec<&str> = ruleset.rules.iter().map(|rule| &*rule.id).collect();
    assert_eq!(ids, ["early", "late"]);
    assert_eq!(ruleset.on(On::Kind(TriggerKind::OrderPlaced)), [0, 1]);
    assert_eq!(ruleset.on(On::Fact(fact_key("fraud.list_hit"))), [1]);
    assert_eq!(ruleset.rule(20), Some(1));
    assert_eq!(ruleset.names.name(20), "late");
    assert_eq!([ruleset.rules[0].reads_block, ruleset.rules[1].reads_block], [false, true]);
    assert_eq!(ruleset.rules[0].on_unknown, OnUnknown::Review);
}

#[test]
fn a_deployment_gives_parameters_other_values() {
    let body = "class: freeze\non_unknown: skip\ncause: fraud\non: order_placed\nthen: {freeze: {scope: all}}\n\
        when: order.amount >= p.floor && orders.large_24h >= p.count\n\
        params:\n  floor: {type: money, CNY: 10_000.00, GBP: 1_000.00}\n  count: {type: int, default: 3}\n";
    let settings = "params:\n  one: {floor: {GBP: 2_000.50}, count: 5}\n";
    let ruleset = load(&[rule("one", 1, body), file("ruleset.yaml", settings)]);
    let params = &ruleset.rules[0].params;
    assert_eq!(params["floor"], Constant::Money(vec![(CNY, 1_000_000), (GBP, 200_050)]));
    assert_eq!(params["count"], Constant::Int(5));
}

#[test]
fn declared_facts_follow_the_catalogue() {
    let facts = "- {name: weather.storm, type: enum, values: [calm, rough], default: rough, meaning: The sea.}\n\
        - {name: weather.loss, type: money, max: 500.00, sources: [harbour], meaning: Loss.}\n\
        - {name: fraud.list_hit, sources: [bureau]}\n";
    let body = "class: hold\non: [fact weather.storm]\nwhen: weather.storm == \"rough\"\nthen: {hold: {for: 30d}}\n";
    let ruleset = load(&[file("facts.yaml", facts), rule("one", 1, body)]);
    let features = catalogue().count();
    assert_eq!(ruleset.schema.slot("weather.storm"), Some(features));
    assert!(matches!(ruleset.readers[features], Reader::Fact(key, Some(1)) if key == fact_key("weather.storm")));
    let loss = &ruleset.facts[&fact_key("weather.loss")];
    assert_eq!((&loss.ty, loss.max, loss.default), (&FactType::Money, 50_000, None));
    assert_eq!(ruleset.facts[&fact_key("fraud.list_hit")].sources, ["bureau"]);
}

#[test]
fn settings_are_read_and_the_rest_keeps_its_default() {
    let text = "name: north\nzone: Europe/London\nlarge_order: {GBP: 10_000.00, JPY: 1_000}\nfeeds: {bureau: 6h}\n\
        tier_caps: {gold: {CNY: 1.00}}\nguards: {cool_down_boost: 3d, daily_count: 1, customer_share_required: false}\n";
    let settings = load(&[file("ruleset.yaml", text)]).settings;
    assert_eq!((settings.name.as_str(), settings.zone.name()), ("north", "Europe/London"));
    assert_eq!(settings.large_order, [(GBP, 1_000_000), (Currency(*b"JPY"), 1_000)]);
    assert_eq!(settings.feeds["bureau"], 6 * HOUR);
    assert_eq!(settings.tier_caps, [(Tier::Gold, vec![(CNY, 100)])]);
    let guards = settings.guards;
    assert_eq!((guards.cool_down_boost, guards.daily_count, guards.customer_share_required), (3 * DAY, 1, false));
    assert_eq!((guards.cool_down_increase, settings.dedup_days), (30 * DAY, 7));
}

#[test]
fn restore_and_its_times_are_read() {
    let rule = one("class: restore\ncause: [verification, volatility]\non: daily\nwhen: block.active\nonce: entry\n\
        then: {restore: {percent: 80, of: granted_before_block, within: 3h, recheck: 15m, waive_until: promotion.end + 24h}}\n");
    assert_eq!(rule.causes, [Cause::Volatility, Cause::Verification]);
    assert_eq!(rule.once, Once::Entry);
    let Action::Restore { within, recheck, waive_until, .. } = &rule.actions[0] else { panic!("{:?}", rule.actions) };
    assert_eq!((*within, *recheck), (3 * HOUR, 15 * MINUTE));
    assert_eq!(*waive_until, Some(TimeExpr { base: TimeBase::PromotionEnd, plus: DAY }));
    assert!(rule.then_text.starts_with("{restore: {percent: 80") && rule.then_text.ends_with("24h}}"));
}

#[test]
fn a_boost_says_when_it_begins_or_the_trigger_does() {
    let boost = |from: &str| {
        let mut rule = one(&format!(
            "class: boost\non: promotion_near\nwhen: promotion.enrolled\nthen: {{boost: {{by: limit.base, until: now + 30d{from}}}}}\n"
        ));
        let Action::Boost { amount: Amount::By(_), from, .. } = rule.actions.remove(0) else { panic!("no boost") };
        from.base
    };
    assert_eq!(boost(""), TimeBase::Beginning);
    assert_eq!(boost(", from: promotion.start"), TimeBase::PromotionStart);
    assert_eq!(boost(", from: now"), TimeBase::Now);
}

#[test]
fn the_first_action_leads_and_holds_end_as_written() {
    let rule = one("class: freeze\non_unknown: skip\non: dpd_changed\nwhen: delinquency.dpd > 0\n\
        then:\n  - freeze: {scope: watch, cause: delinquency, ceiling: limit.base * 20 / 100}\n  - hold: {until: cured + 30d}\n\
        \x20 - hold: {of: boost, for: 0d}\n  - hold: {of: [increase], for: 2d}\n");
    let words: Vec<&str> = rule.actions.iter().map(Action::word).collect();
    assert_eq!(words, ["freeze", "hold", "hold", "hold"]);
    let is_freeze = matches!(rule.actions[0], Action::Freeze { scope: Scope::Watch, cause: Cause::Delinquency, .. });
    assert!(is_freeze && rule.causes.is_empty());
    let holds: Vec<(&[HoldOf], HoldSpec)> = rule.actions[1..]
        .iter()
        .map(|action| match action {
            Action::Hold { of, lasts } => (of.as_slice(), *lasts),
            other => panic!("{other:?}"),
        })
        .collect();
    let two_days = HoldSpec::Until(TimeExpr { base: TimeBase::Now, plus: 2 * DAY });
    assert_eq!(holds[0], (&[][..], HoldSpec::Cured(30)));
    assert_eq!(holds[1], (&[HoldOf::Boost][..], HoldSpec::ThisDecision));
    assert_eq!(holds[2], (&[HoldOf::Increase][..], two_days));
}

#[test]
fn strategies_say_which_rules_a_segment_has() {
    let body = |segments: &str| {
        let head = "class: freeze\non_unknown: skip\ncause: fraud\non: order_placed\nwhen: fraud.list_hit\n";
        format!("{head}{segments}then: {{freeze: {{scope: all}}}}\n")
    };
    let strategies = "groups:\n  core: {families: [fraud]}\n  extra: {rules: [narrow]}\n\
        segments:\n  merchant_new: [core]\n  merchant_key: [extra]\n  consumer:\n";
    let ruleset = load(&[
        rule("wide", 1, &body("")),
        rule("narrow", 2, &body("segments: [merchant_key, merchant_new, consumer]\n")),
        rule("nobodys", 3, &body("segments: [consumer]\n")),
        file("strategies.yaml", strategies),
    ]);
    let segments = |at: usize| ruleset.rules[at].segments.iter().map(|each| each.word()).collect::<Vec<_>>();
    assert_eq!(segments(0), ["consumer_new", "consumer_prime", "merchant_new", "merchant_standard"]);
    assert_eq!(segments(1), ["merchant_new", "merchant_key"]);
    assert!(ruleset.rules[2].retired && !ruleset.rules[0].retired);
    assert!(!ruleset.rules[2].is_for(Segment::Consumer) && !ruleset.rules[2].is_for(Segment::MerchantKey));
}

#[test]
fn strategies_are_content() {
    let files = |text: &str| {
        vec![
            rule("wide", 1, "class: hold\non: order_placed\nwhen: fraud.list_hit\nthen: {hold: {for: 1d}}\n"),
            file("strategies.yaml", text),
        ]
    };
    let hash = |text: &str| load(&files(text)).hash;
    assert_ne!(hash("groups: {}\nsegments: {}\n"), hash("groups: {}\nsegments: {merchant_key: }\n"));
}
