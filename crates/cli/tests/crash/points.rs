//! How each named place is reached.

use headroom_store::fault::POINTS;

/// What a process must be doing to pass a place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// Starting, or taking events.
    Serving,
    /// Stopping in peace.
    Stopping,
    /// Having nothing to do: ticks and trims.
    Idling,
    /// `headroom run` with `--out`.
    Running,
    /// `headroom snapshot`: the tests of that command reach them.
    Copying,
}

/// By its name: `area.place`.
pub fn way(point: &str) -> Way {
    match point.split('.').next() {
        Some("tick" | "trim") => Way::Idling,
        Some("out") => Way::Running,
        Some("snapshot") => Way::Copying,
        Some("stop" | "flush") => Way::Stopping,
        _ => Way::Serving,
    }
}

/// The places that a service passes while it is used. Those that a season reaches seldom come first: what is sent to
/// reach one is no longer there for the next.
pub fn in_order() -> Vec<&'static str> {
    const SELDOM: [&str; 2] = ["sweep.rows", "timers.stepped"];
    let used = POINTS.iter().copied().filter(|point| matches!(way(point), Way::Serving | Way::Stopping));
    // What happens once in the life of a data directory comes before everything.
    let first = |point: &&str| point.starts_with("open.") || point.starts_with("ruleset.");
    let (first, others): (Vec<&str>, Vec<&str>) = used.partition(first);
    // Two deaths in a row over one record that is being decided would set it aside.
    const DECIDING: [&str; 2] = ["lane.loaded", "lane.stepped"];
    let others = others.into_iter().filter(|point| !SELDOM.contains(point) && !DECIDING.contains(point));
    let others = [DECIDING[0]].into_iter().chain(others).chain([DECIDING[1]]);
    first.into_iter().chain(SELDOM).chain(others).collect()
}
