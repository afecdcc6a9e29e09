//! `headroom config show`: the settings that are in force.

use anyhow::Result;
use clap::Args;
use headroom_node::view::Item;
use headroom_node::{Config, Setting, SettingValue};

use crate::failure::Status;
use crate::output::Output;
use crate::settings::Settings;

/// Which settings.
#[derive(Args)]
pub struct Command {
    #[command(flatten)]
    settings: Settings,
}

impl Command {
    /// Prints them as TOML, or as one JSON object.
    pub fn run(&self, output: &Output) -> Result<Status> {
        let config = self.settings.load()?;
        output.print_as(&item(&config), &config.to_toml())?;
        Ok(Status::Done)
    }
}

fn item(config: &Config) -> Item {
    let setting = |Setting { key, value, source }: Setting| {
        let value = match value {
            SettingValue::Text(text) => text.into(),
            SettingValue::Number(number) => number.into(),
            SettingValue::Bool(value) => value.into(),
        };
        (key, Item::fields([("value", value), ("source", source.to_string().into())]))
    };
    let settings = config.settings().into_iter().map(setting).collect();
    Item::fields([("config_hash", config.hash().into()), ("settings", Item::Fields(settings))])
}
