//! One rule of a ruleset read anew, for checks that try many changes of it: the others are taken over as they are.

use std::sync::Arc;

use headroom_policy::yaml::Node;
use headroom_policy::{Diagnostic, Severity};

use crate::features::{Feature, catalogue};

use super::Ruleset;
use super::fields::Findings;
use super::load::with_scores;
use super::rule_file::{self, Known, Source};
use super::table::{self, TableSource};

/// The rows of a table's CSV file, as the list that `rows` is in a table; `None` if there is no such list in it.
pub fn sheet_rows(text: &str) -> Option<Node> {
    table::csv_rows(text, &mut Findings::default())
}

impl Ruleset {
    /// The same ruleset in which the rule of the file `path` is as the document `root` says. `text` is the file that
    /// the places of `root` lie in, `sheet` the rows and the text of a table's CSV file if it has one, `overrides` what the
    /// settings give its parameters. The hash stays.
    ///
    /// # Errors
    /// What is wrong with the rule.
    pub fn with_rule(
        &self,
        path: &str,
        text: &str,
        root: &Node,
        sheet: Option<(&Node, &str)>,
        overrides: Option<&Node>,
    ) -> Result<Ruleset, Vec<Diagnostic>> {
        let features: Vec<&'static Feature> = catalogue().collect();
        let scores_from = self.schema.len() - self.scores.len();
        let known = Known { schema: &self.schema, features: &features, facts: &self.facts, scores_from };
        let (mut found, mut settings) = (Findings::default(), Findings::default());
        let file = Source { path, text, root, overrides };
        let (rule, scores) = if path.ends_with(".table.yaml") {
            let mut of_sheet = Findings::default();
            let source = TableSource { file, sheet };
            let read = table::table(&source, &known, &mut found, &mut of_sheet, &mut settings);
            found.0.append(&mut of_sheet.0);
            read
        } else {
            (rule_file::rule(&file, &known, &mut found, &mut settings), Vec::new())
        };
        found.0.append(&mut settings.0);
        let errors: Vec<Diagnostic> = found.0.into_iter().filter(|each| each.severity == Severity::Error).collect();
        let Some(mut rule) = rule.filter(|_| errors.is_empty()) else { return Err(errors) };
        self.strategies.narrow(&mut rule);
        let mut ruleset = self.clone();
        ruleset.rules.retain(|each| each.path != path);
        ruleset.names.0.insert(rule.number, Arc::clone(&rule.id));
        ruleset.scores.retain(|each| !scores.iter().any(|new| new.slot == each.slot));
        ruleset.scores.extend(scores);
        ruleset.scores.sort_by_key(|each| each.slot);
        ruleset.rules.push(with_scores(rule, &ruleset.scores));
        ruleset.rules.sort_by_key(|each| each.number);
        ruleset.index();
        Ok(ruleset)
    }
}
