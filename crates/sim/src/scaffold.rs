//! A first rule and its test, to be changed into the one that is wanted.

use headroom_engine::{Family, Ruleset};
use headroom_policy::Type;

/// Own rules begin here: lower numbers are left to the built-in ones.
const FIRST_NUMBER: u32 = 1_001;

/// What a scaffold is made from.
#[derive(Clone, Copy, Debug)]
pub struct Scaffold<'a> {
    /// The rule's id, snake_case.
    pub id: &'a str,
    /// Its family.
    pub family: Family,
    /// A fact of type bool that it reads besides.
    pub fact: Option<&'a str>,
    /// From when it is, `2026-11-22`.
    pub since: &'a str,
    /// The ruleset that it joins, if there is one already.
    pub ruleset: Option<&'a Ruleset>,
}

impl Scaffold<'_> {
    /// The path of the rule within the ruleset; its test stands beside it.
    pub fn rule_path(&self) -> String {
        format!("{}/{}.rule.yaml", self.family.word(), self.id)
    }

    /// The path of its test.
    pub fn test_path(&self) -> String {
        self.rule_path().replace(".rule.yaml", ".test.yaml")
    }

    /// The first number that no rule has, above those of the built-in rules.
    pub fn number(&self) -> u32 {
        let numbers = self.ruleset.into_iter().flat_map(|ruleset| &ruleset.rules).map(|rule| rule.number);
        numbers.filter(|number| *number >= FIRST_NUMBER).max().map_or(FIRST_NUMBER, |last| last + 1)
    }

    /// The line that declares the fact in `facts.yaml`; `None` where rules of the ruleset can read it already.
    pub fn declaration(&self) -> Option<String> {
        let name = self.fact?;
        let known = self.ruleset.is_some_and(|ruleset| ruleset.schema.slot(name).is_some());
        (!known).then(|| format!("- {{name: {name}, type: bool, meaning: Say here what it means.}}\n"))
    }

    /// Whether the fact is one that the ruleset has with another type than bool.
    pub fn has_wrong_fact(&self) -> bool {
        let slot = self.fact.and_then(|name| self.ruleset?.schema.slot(name));
        slot.is_some_and(|slot| self.ruleset.is_some_and(|ruleset| ruleset.schema.symbol(slot).ty != Type::Bool))
    }

    /// Whether the family is about paying back: then the first condition is, too.
    fn is_about_debt(&self) -> bool {
        matches!(self.family, Family::Repayment | Family::Delinquency | Family::Recovery)
    }

    /// The rule file.
    pub fn rule(&self) -> String {
        let (on, when, params) = match self.is_about_debt() {
            true => ("dpd_changed", "delinquency.dpd >= p.days_min", "days_min: {type: int, default: 5}"),
            false => ("order_placed", "order.amount >= p.large", "large: {type: money, CNY: 10_000.00, GBP: 1_000.00}"),
        };
        let title: String = self.id.replace('_', " ");
        let when = self.fact.map_or_else(|| when.to_owned(), |fact| format!("{when} && {fact}"));
        format!(
            "id: {id}\nnumber: {number}\ntitle: {{en: {title}, zh: {title}}}\nwhy: Say here in one sentence why this rule exists.\n\
             family: {family}\nclass: review\non: [{on}]\nwhen: {when}\nparams: {{{params}}}\nthen: {{review: {{kind: {id}}}}}\n\
             reason: {reason}\non_unknown: skip\nowner: nobody\nsince: {since}\n",
            id = self.id,
            number = self.number(),
            family = self.family.word(),
            reason = self.id.to_uppercase(),
            since = self.since,
        )
    }

    /// The test file: at the threshold, just below it, and with what it reads unknown.
    pub fn tests(&self) -> String {
        let (fires, below) = match self.is_about_debt() {
            true => ("overdue M1 dpd=5", "overdue M1 dpd=4"),
            false => ("order_placed M1 seller 10_000.00", "order_placed M1 seller 9_999.99"),
        };
        let review = format!("          => review M1 {}\n", self.id);
        let mut tests = String::from("tests:\n");
        tests.push_str(&self.test("at the threshold a person looks", self.fact, fires, &review));
        tests.push_str(&self.test("just below it nobody does", self.fact, below, "          => nothing\n"));
        if self.fact.is_some() {
            let name = "while the fact is unknown the rule is silent";
            tests.push_str(&self.test(name, None, fires, "          => nothing\n"));
        }
        tests.trim_end().to_owned() + "\n"
    }

    fn test(&self, name: &str, fact: Option<&str>, event: &str, expected: &str) -> String {
        let signal = fact.map_or_else(String::new, |fact| format!("      2026-01-05T09:00 signal M1 {fact}=true\n"));
        format!(
            "  - name: {name}\n    steps: |\n      account M1 segment=merchant_standard base=1_000_000.00 opened=2024-03-01\n\
             {signal}      2026-01-05T10:00 {event}\n{expected}\n"
        )
    }
}
