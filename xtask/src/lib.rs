//! Checks on the code base itself. The rules are functions over text that return findings; `tests/` runs them over the checkout.

mod arrows;
mod checkout;
mod exceptions;
mod pages;
mod purity;
mod rules_actions;
mod rules_beside;
mod rules_page;
mod rules_words;
mod schema;
mod size;
mod source;
mod words;

pub use arrows::{Manifest, findings as arrow_findings};
pub use checkout::{exists, folders, is_test_path, read, report, texts, tracked};
pub use exceptions::{Exception, parse as parse_exceptions, uncovered};
pub use pages::{error_codes, missing_sections, refusal_codes, rule_reasons};
pub use purity::impure_tokens;
pub use rules_actions::{ACTIONS, Action, arguments_of, example_findings};
pub use rules_beside::beside;
pub use rules_page::{Around, rules_page};
pub use rules_words::{guard_words, reasons, trigger_words};
pub use schema::{as_json, schemas};
pub use size::{LIMIT, code_lines, findings as size_findings, parse_ratchet};
pub use source::{code_and_literals, code_only, untested};
pub use words::{contains_path, contains_word};
