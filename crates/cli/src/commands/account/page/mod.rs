//! An account as people want to see it: the limit as a waterfall, money in a few lines, what happened and why.

mod draw;
mod history;
mod limit;
mod sections;

pub use history::{History, read};

use headroom_engine::{Account, Timestamp};
use headroom_node::view::{Item, Names};
use jiff::tz::TimeZone;

use crate::zone;

use draw::Paint;

/// How a page is drawn.
pub struct Look {
    /// Columns of the terminal.
    pub width: usize,
    /// In colours.
    pub color: bool,
    /// Of all times.
    pub zone: TimeZone,
}

/// The whole page.
pub fn page(account: &Account, names: &Names, history: &[History], look: &Look) -> String {
    let paint = Paint { color: look.color };
    let mut out = head(account, names, look, paint);
    out.push_str(&limit::limit(account, names, look, paint));
    out.push_str(&sections::sections(account, look, paint));
    out.push_str(&history::timeline(history, look, paint));
    out
}

fn head(account: &Account, names: &Names, look: &Look, paint: Paint) -> String {
    let currency = account.currency.map_or_else(|| "no currency yet".to_owned(), |currency| currency.to_string());
    let zone = look.zone.iana_name().unwrap_or("UTC");
    let parts = [account.segment.word(), account.status.word(), &currency];
    format!(
        "{}  {}\nas of {} ({zone}), after change {}\n",
        paint.strong(&account.id),
        parts.join(" · "),
        zone::minute(as_of(account, names), &look.zone),
        account.sequence
    )
}

/// The shard's clock.
fn as_of(account: &Account, names: &Names) -> Timestamp {
    names.now.max(account.clock)
}

/// The text of an item that is one.
fn word(item: Item) -> String {
    match item {
        Item::Text(text) => text,
        _ => "-".to_owned(),
    }
}
