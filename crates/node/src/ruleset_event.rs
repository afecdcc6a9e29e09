//! The control event that puts a ruleset into force (PROTOCOL P24).

use headroom_engine::{Timestamp, content_hash};
use headroom_wire::proto;

/// A whole ruleset, path and text of its files. Its id holds the time too: a ruleset may come back within the dedup
/// horizon.
pub fn ruleset_event(files: &[(String, String)], now: Timestamp) -> proto::Event {
    let file = |(path, content): &(String, String)| proto::ruleset_published::File {
        path: path.clone(),
        content: content.clone(),
    };
    let hash = content_hash(files);
    let event_id = format!("ruleset {hash} at {}", now.0);
    let published = proto::RulesetPublished { content_hash: hash, files: files.iter().map(file).collect() };
    let control = proto::ControlEvent { kind: Some(proto::control_event::Kind::RulesetPublished(published)) };
    proto::Event {
        event_id,
        source: "headroom".to_owned(),
        occurred_at: Some(headroom_wire::Timestamp::from_millis(now.0)),
        body: Some(proto::event::Body::Control(control)),
        ..proto::Event::default()
    }
}
