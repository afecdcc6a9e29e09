//! The codes of findings about ruleset files, beside those of the rule language.

/// Each code with its title, for the error pages.
pub const RULESET_CODES: &[(&str, &str)] = &[
    ("HR0201", "a key that does not belong here"),
    ("HR0202", "something is missing"),
    ("HR0203", "a value, a list or a map in the place of another"),
    ("HR0204", "a word that is not in its list"),
    ("HR0205", "a name in the wrong form"),
    ("HR0206", "neither true nor false"),
    ("HR0207", "not a whole number, or outside its range"),
    ("HR0208", "not a duration"),
    ("HR0209", "not an amount of money"),
    ("HR0210", "not a time or a date"),
    ("HR0211", "settings for a rule or parameter that does not exist"),
    ("HR0212", "a rule's id is not its file's name"),
    ("HR0213", "given twice"),
    ("HR0214", "the class and the first action do not fit"),
    ("HR0215", "an action that cannot stand beside another"),
    ("HR0216", "the rule's cause is missing"),
    ("HR0217", "a block that only a person lifts"),
    ("HR0218", "the answer to unknown is missing"),
    ("HR0219", "a fact that cannot be declared so"),
    ("HR0230", "silence counted as good news"),
    ("HR0231", "a feature that its triggers never bring"),
    ("HR0232", "a condition that cannot be proven"),
    ("HR0240", "two rows of a table match the same input"),
    ("HR0241", "an input that no row of a table matches"),
    ("HR0242", "a row of a table that nothing reaches"),
    ("HR0243", "a cell or column that does not fit"),
    ("HR0244", "a table that is too large"),
    ("HR0245", "a CSV file of rows in the wrong form"),
    ("HR0246", "a score made of scores"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_ascending() {
        assert!(RULESET_CODES.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }
}
