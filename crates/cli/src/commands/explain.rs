//! `headroom explain`: the page of a code.

use anyhow::{Result, bail};
use clap::Args;
use headroom_node::view::Item;
use headroom_policy::suggest;

use crate::failure::Status;
use crate::output::Output;

/// Codes with their pages, errors first, each list sorted.
const PAGES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/pages.rs"));

/// Which code.
#[derive(Args)]
pub struct Command {
    /// A code, like HR0102 or ORDER_VOLATILITY
    code: String,
}

impl Command {
    /// Does it.
    pub fn run(&self, output: &Output) -> Result<Status> {
        let code = self.code.trim().to_ascii_uppercase();
        let Some(page) = page(&code) else { bail!(unknown(&self.code, &code)) };
        let title = page.lines().next().unwrap_or_default().trim_start_matches("# ");
        let item = Item::fields([("code", code.as_str().into()), ("title", title.into()), ("text", page.into())]);
        output.print_as(&item, page)?;
        Ok(Status::Done)
    }
}

/// The page of a code.
pub fn page(code: &str) -> Option<&'static str> {
    PAGES.iter().find(|(each, _)| *each == code).map(|(_, page)| *page)
}

fn unknown(written: &str, code: &str) -> String {
    match suggest(code, PAGES.iter().map(|(each, _)| *each)) {
        Some(near) => format!("there is no code `{written}`; did you mean `{near}`?"),
        None => format!("there is no code `{written}`; codes look like `HR0102` or `ORDER_VOLATILITY`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_is_embedded_once_and_titled() {
        assert!(!PAGES.is_empty());
        let mut codes: Vec<&str> = PAGES.iter().map(|(code, _)| *code).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), PAGES.len());
        for (code, page) in PAGES {
            let first = page.lines().next().unwrap_or_default();
            assert!(first.starts_with("# ") && first.contains(code), "`{code}`: {first}");
        }
    }
}
