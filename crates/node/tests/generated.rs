//! Pages that are made of the code are up to date: `UPDATE_EXPECT=1` writes them anew.

use expect_test::expect_file;
use headroom_node::telemetry::metrics_page;
use headroom_node::{ErrorCode, configuration_page};

#[test]
fn the_page_about_settings_is_up_to_date() {
    expect_file!["../../../docs/CONFIGURATION.md"].assert_eq(&configuration_page());
}

#[test]
fn the_page_about_metrics_is_up_to_date() {
    expect_file!["../../../docs/METRICS.md"].assert_eq(&metrics_page());
}

#[test]
fn every_error_page_has_the_title_of_its_code() {
    for error in ErrorCode::ALL {
        let path = format!("{}/../../docs/errors/{}.md", env!("CARGO_MANIFEST_DIR"), error.code());
        let page = std::fs::read_to_string(&path).unwrap_or_else(|failed| panic!("{path}: {failed}"));
        assert_eq!(page.lines().next(), Some(format!("# {}: {}", error.code(), error.title()).as_str()));
    }
}
