//! Fail points for crash tests: named places where a process can be made to die. Always compiled; off, one costs an
//! atomic load.
//!
//! `HEADROOM_FAIL_AT="NAME[:N][=kill|panic|stop][,…]"`: the N-th time (first, if not given) the point NAME is passed, the
//! process kills itself (`kill`, if not given), panics there, or stops until somebody lets it go on (SIGCONT).

use std::io::Write;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rustix::process::{Signal, getpid, kill_process};

/// The variable that arms a point.
const VARIABLE: &str = "HEADROOM_FAIL_AT";

/// Every name: those of the store, then those of the node.
pub const POINTS: &[&str] = &[
    "open.begin",
    "open.format_created",
    "open.database_opened",
    "open.done",
    "ruleset.before_write",
    "ruleset.after_write",
    "commit.begin",
    "commit.batch_built",
    "commit.before_write",
    "commit.after_write",
    "commit.before_done",
    "commit.after_done",
    "log.before_write",
    "log.after_write",
    "trim.before",
    "trim.outputs",
    "trim.journal",
    "trim.log",
    "trim.before_write",
    "trim.after",
    "flush.before",
    "flush.after",
    "attempt.before_write",
    "attempt.after_write",
    "open.before",
    "open.stores",
    "open.named",
    "open.lanes",
    "open.after",
    "log.group_begun",
    "log.group_taken",
    "log.before_reply",
    "log.after_reply",
    "lane.caught_up",
    "lane.taken",
    "lane.loaded",
    "lane.stepped",
    "lane.published",
    "lane.handed_over",
    "lane.round_done",
    "announce.before",
    "announce.after",
    "tick.before",
    "tick.stepped",
    "tick.after",
    "sweep.rows",
    "timers.stepped",
    "stop.requested",
    "stop.drained",
    "stop.marked",
    "stop.flushed",
    "stop.after",
    "out.written",
    "out.cut_back",
    "out.rewritten",
    "snapshot.files_sent",
    "snapshot.manifest_written",
    "snapshot.fetched",
    "snapshot.in_place",
];

/// Those of a node on Kafka.
pub const KAFKA_POINTS: &[&str] = &[
    "kafka.before_producers",
    "kafka.round_stepped",
    "kafka.before_begin",
    "kafka.begun",
    "kafka.outputs_sent",
    "kafka.part_sent",
    "kafka.journal_sent",
    "kafka.acknowledged",
    "kafka.offsets_sent",
    "kafka.committed",
    "kafka.before_abort",
    "kafka.before_release",
    "kafka.released_to_store",
    "kafka.released",
    "stage.done",
    "release.before",
    "apply.before_write",
    "apply.after_write",
];

fn is_known(name: &str) -> bool {
    POINTS.contains(&name) || KAFKA_POINTS.contains(&name)
}

/// Until the variable was found empty, every point looks at the plan.
static MAY_FAIL: AtomicBool = AtomicBool::new(true);
static PLANS: OnceLock<Vec<Plan>> = OnceLock::new();

/// Dies here if the variable says so.
#[inline]
pub fn point(name: &str) {
    if MAY_FAIL.load(Ordering::Relaxed) {
        passed(name);
    }
}

#[cold]
fn passed(name: &str) {
    let plans = PLANS.get_or_init(plans_of_process);
    if plans.is_empty() {
        MAY_FAIL.store(false, Ordering::Relaxed);
        return;
    }
    assert!(is_known(name), "fail point `{name}` is not in the list");
    if let Some(plan) = plans.iter().find(|plan| plan.is_due(name)) {
        plan.fail(name);
    }
}

/// What to do, and where.
#[derive(Debug)]
struct Plan {
    name: String,
    /// How often the point is still passed unharmed, plus one; 0: it has failed.
    left: AtomicU64,
    how: How,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum How {
    Kill,
    Panic,
    Stop,
}

fn plans_of_process() -> Vec<Plan> {
    let Some(text) = std::env::var_os(VARIABLE) else { return Vec::new() };
    match text.to_string_lossy().split(',').map(parse).collect() {
        Ok(plans) => plans,
        Err(problem) => {
            say(&format!("{VARIABLE}: {problem}"));
            std::process::exit(2)
        }
    }
}

fn parse(text: &str) -> Result<Plan, String> {
    let (place, how) = match text.split_once('=') {
        None | Some((_, "kill")) => (text.split('=').next().unwrap_or_default(), How::Kill),
        Some((place, "panic")) => (place, How::Panic),
        Some((place, "stop")) => (place, How::Stop),
        Some((_, other)) => return Err(format!("`{other}` is none of `kill`, `panic` and `stop`")),
    };
    let (name, count) = place.split_once(':').unwrap_or((place, "1"));
    let count = count.parse().ok().filter(|count| *count > 0);
    let count: u64 = count.ok_or_else(|| format!("`{place}` names no count from 1"))?;
    if !is_known(name) {
        return Err(format!(
            "no fail point is called `{name}`; there are {}, {}",
            POINTS.join(", "),
            KAFKA_POINTS.join(", ")
        ));
    }
    Ok(Plan { name: name.to_owned(), left: AtomicU64::new(count), how })
}

impl Plan {
    fn is_due(&self, name: &str) -> bool {
        let count_down = |left: u64| left.checked_sub(1);
        name == self.name && self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, count_down) == Ok(1)
    }

    fn fail(&self, name: &str) {
        say(&format!("fail point {name}"));
        match self.how {
            How::Panic => panic!("fail point {name}"),
            How::Kill => kill(),
            How::Stop => {
                kill_process(getpid(), Signal::STOP).expect("a process may stop itself");
                say("goes on");
            }
        }
    }
}

/// No unwinding, no handlers, no buffers written: as if the power of the process were cut.
fn kill() {
    kill_process(getpid(), Signal::KILL).expect("a process may kill itself");
    loop {
        std::thread::park();
    }
}

/// A test reads this from a process that is about to die. Nobody can be told that it failed.
fn say(line: &str) {
    let _ = std::io::stderr().write_all(format!("{line}\n").as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn parsed(text: &str) -> (String, u64, How) {
        let plan = parse(text).unwrap();
        (plan.name, plan.left.into_inner(), plan.how)
    }

    #[test]
    fn a_plan_has_a_name_a_count_and_a_way() {
        assert_eq!(parsed("open.done"), ("open.done".into(), 1, How::Kill));
        assert_eq!(parsed("open.done:3"), ("open.done".into(), 3, How::Kill));
        assert_eq!(parsed("open.done=kill"), ("open.done".into(), 1, How::Kill));
        assert_eq!(parsed("open.done:12=panic"), ("open.done".into(), 12, How::Panic));
        assert_eq!(parsed("open.done:2=stop"), ("open.done".into(), 2, How::Stop));
    }

    #[test]
    fn anything_else_is_refused() {
        for (text, problem) in [
            ("", "no fail point is called ``"),
            ("open.nowhere", "no fail point is called `open.nowhere`"),
            ("open.done:0", "`open.done:0` names no count"),
            ("open.done:x", "`open.done:x` names no count"),
            ("open.done=pause", "`pause` is none of"),
        ] {
            assert!(parse(text).unwrap_err().starts_with(problem), "{text}");
        }
    }

    #[test]
    fn the_count_is_of_its_own_point_and_fails_once() {
        let plan = parse("open.done:2").unwrap();
        let due = ["open.done", "open.begin", "open.done", "open.done"].map(|name| plan.is_due(name));
        assert_eq!(due, [false, false, true, false]);
    }

    #[test]
    fn names_are_different() {
        let names: std::collections::BTreeSet<_> = POINTS.iter().collect();
        assert_eq!(names.len(), POINTS.len());
    }
}
