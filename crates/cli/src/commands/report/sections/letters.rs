//! Records that could not be taken.

use super::Season;
use crate::commands::explain::page;
use crate::commands::report::chart::bar;
use crate::commands::report::html::{self, Cell, table};
use crate::commands::report::number::count;

/// By code, with what each means.
pub fn section(season: &Season<'_>) -> String {
    let totals = season.totals(|day| &day.dead_letters);
    let all: u64 = totals.iter().map(|(_, count)| count).sum();
    let lead = format!(
        "{} of {} records could not be taken. Each is kept with its bytes and its reason, and the run went on; \
         `headroom dead-letters replay` sends them again once the cause is mended.",
        count(all),
        count(season.report.records)
    );
    let most = totals.first().map_or(0, |first| first.1);
    let row = |(code, total): &(&str, u64)| {
        vec![
            Cell::Code((*code).to_owned()),
            Cell::Text(meaning(code)),
            Cell::Drawing(bar(*total, most)),
            Cell::Number(count(*total)),
        ]
    };
    let mut rows: Vec<Vec<Cell>> = totals.iter().map(row).collect();
    if rows.is_empty() {
        let nothing = "every record was taken".to_owned();
        rows.push(vec![
            Cell::Code("none".to_owned()),
            Cell::Text(nothing),
            Cell::Drawing(bar(0, 1)),
            Cell::Number(count(0)),
        ]);
    }
    let body = table("Dead letters by code", &["code", "what it means", "", "records"], &rows);
    html::section("letters", "Dead letters", &lead, &body)
}

/// The first sentence of the code's page.
fn meaning(code: &str) -> String {
    let text = page(code).and_then(|page| page.split("\n\n").nth(1)).unwrap_or_default();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ").replace('`', "");
    text.split_inclusive(". ").next().unwrap_or_default().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_explained_by_the_first_sentence_of_its_page() {
        let words = meaning("WRONG_CURRENCY");
        assert_eq!(words, "The currency is no currency code, or not that of the account.");
        assert_eq!(
            meaning("UNKNOWN_FACT"),
            "The signal reports a fact that neither the catalogue nor the ruleset declares."
        );
        assert_eq!(meaning("NO_SUCH_CODE"), "");
    }

    #[test]
    fn every_code_has_a_meaning() {
        for code in headroom_engine::RefusalCode::ALL {
            assert!(!meaning(code.code()).is_empty(), "{}", code.code());
        }
    }
}
