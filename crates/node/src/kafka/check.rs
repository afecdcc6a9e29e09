//! Whether the topics are what they must be.

use std::collections::BTreeMap;

use headroom_wire::JournalGenesis;

use super::cluster::{Cluster, FoundTopic};
use super::genesis::{Beginning, beginnings, differences};
use super::plan::{ENDLESS, PlannedTopic, plan};
use super::problem::{Problem, ProblemCode};
use super::topic::{Topic, TopicKind};
use crate::config::{KafkaConfig, KafkaProfile};

/// What good topics were found to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checked {
    /// The cluster's id.
    pub cluster_id: String,
    /// Partitions of keyed topics, outputs and the journal.
    pub shards: u32,
    /// What each shard was made for, by shard; `None`: its journal is trimmed, and whoever trimmed it keeps it.
    pub genesis: Vec<Option<JournalGenesis>>,
    /// The first offset that each journal partition has.
    pub journal_first: Vec<u64>,
    /// The topics as they are.
    pub topics: BTreeMap<Topic, FoundTopic>,
}

/// Looks at everything. `known` is a genesis that was kept elsewhere: with it a journal may begin late.
///
/// # Errors
/// All problems at once.
pub fn check(config: &KafkaConfig, known: Option<&JournalGenesis>) -> Result<Checked, Vec<Problem>> {
    let one = |error| vec![Problem::from(error)];
    let cluster = Cluster::connect(config).map_err(one)?;
    let cluster_id = cluster.id().map_err(one)?;
    let topics = cluster.topics().map_err(one)?;
    let mut problems = of_topics(config, &topics);
    let shards = topics.get(&Topic::Journal).map_or(0, |journal| journal.partitions);
    let beginnings = beginnings(config, &cluster, shards).map_err(one)?;
    let journal = Topic::Journal.name(&config.topic_prefix);
    problems.extend(of_journal(&journal, &beginnings, known));
    if let Some(genesis) = beginnings.iter().find_map(genesis_of).or(known) {
        problems.extend(differences(genesis, &cluster_id, &topics));
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let journal_first = beginnings.iter().map(|each| if let Beginning::Trimmed(low) = each { *low } else { 0 });
    let (journal_first, genesis) = (journal_first.collect(), beginnings.iter().map(|each| genesis_of(each).cloned()));
    Ok(Checked { cluster_id, shards, genesis: genesis.collect(), journal_first, topics })
}

/// What is wrong with topics and their settings, the journal's records aside.
pub fn of_topics(config: &KafkaConfig, topics: &BTreeMap<Topic, FoundTopic>) -> Vec<Problem> {
    let planned = plan(config);
    let mut problems = Vec::new();
    for each in &planned {
        match topics.get(&each.topic) {
            Some(found) => problems.extend(of_topic(config, each, found)),
            None => problems.push(Problem::new(ProblemCode::Missing, &each.name, "there is no such topic")),
        }
    }
    problems.extend(of_counts(topics));
    problems
}

/// Every shard has one partition of each topic but broadcasts.
fn of_counts(topics: &BTreeMap<Topic, FoundTopic>) -> Vec<Problem> {
    let shards = topics.get(&Topic::Journal).or_else(|| topics.get(&Topic::Orders)).map_or(0, |each| each.partitions);
    let wanted = |topic: Topic| if topic.kind() == TopicKind::Broadcast { 1 } else { shards };
    let wrong = topics.iter().filter(|(topic, found)| found.partitions != wanted(**topic));
    wrong
        .map(|(topic, found)| {
            let detail = format!("it has {} partitions, expected {}", found.partitions, wanted(*topic));
            Problem::new(ProblemCode::Partitions, &found.name, detail)
        })
        .collect()
}

fn of_topic(config: &KafkaConfig, planned: &PlannedTopic, found: &FoundTopic) -> Vec<Problem> {
    let is_input = matches!(planned.topic.kind(), TopicKind::Keyed | TopicKind::Broadcast);
    let is_safe = config.profile == KafkaProfile::Development;
    let mut problems = Vec::new();
    let mut expect = |good: bool, code: ProblemCode, name: &str, wanted: &str| {
        if !good {
            let value = found.settings.get(name).map_or("unknown", String::as_str);
            problems.push(Problem::new(code, &found.name, format!("`{name}` is `{value}`, expected {wanted}")));
        }
    };
    let value = |name: &str| found.settings.get(name).map_or("", String::as_str);
    let at_least = |name: &str| number(value(name)) >= number(planned.setting(name));
    expect(value("cleanup.policy") == "delete", ProblemCode::Compacted, "cleanup.policy", "`delete`");
    let kept = planned.setting("retention.ms");
    expect(lasts(value("retention.ms"), kept), ProblemCode::Retention, "retention.ms", &at_least_text(kept));
    expect(value("retention.bytes") == ENDLESS, ProblemCode::Retention, "retention.bytes", "`-1`");
    let insync = planned.setting("min.insync.replicas");
    let enough = is_safe || at_least("min.insync.replicas");
    expect(enough, ProblemCode::Replication, "min.insync.replicas", &at_least_text(insync));
    let clean = value("unclean.leader.election.enable") == "false";
    expect(clean, ProblemCode::UncleanElection, "unclean.leader.election.enable", "`false`");
    let stamped = !is_input || value("message.timestamp.type") == planned.setting("message.timestamp.type");
    let wanted = format!("`{}` by the profile", planned.setting("message.timestamp.type"));
    expect(stamped, ProblemCode::Timestamps, "message.timestamp.type", &wanted);
    let size = at_least_text(planned.setting("max.message.bytes"));
    expect(at_least("max.message.bytes"), ProblemCode::MessageSize, "max.message.bytes", &size);
    if !is_safe && found.replicas < planned.replicas {
        let detail = format!("it has {} copies of a partition, expected {}", found.replicas, planned.replicas);
        problems.push(Problem::new(ProblemCode::Replication, &found.name, detail));
    }
    problems
}

fn number(text: &str) -> i64 {
    text.parse().unwrap_or(0)
}

fn lasts(found: &str, wanted: &str) -> bool {
    found == ENDLESS || (wanted != ENDLESS && number(found) >= number(wanted))
}

fn at_least_text(wanted: &str) -> String {
    if wanted == ENDLESS { "`-1`, without an end".to_owned() } else { format!("at least `{wanted}`") }
}

fn genesis_of(beginning: &Beginning) -> Option<&JournalGenesis> {
    match beginning {
        Beginning::Genesis(genesis) => Some(genesis),
        _ => None,
    }
}

fn of_journal(name: &str, beginnings: &[Beginning], known: Option<&JournalGenesis>) -> Vec<Problem> {
    let first = beginnings.iter().find_map(genesis_of).or(known);
    let mut problems = Vec::new();
    for (partition, beginning) in beginnings.iter().enumerate() {
        let (code, detail) = match beginning {
            Beginning::Genesis(genesis) if first.is_some_and(|first| same(first, genesis)) => continue,
            Beginning::Genesis(_) => {
                (ProblemCode::OtherGenesis, format!("partition {partition} has another genesis than the first"))
            }
            Beginning::Trimmed(_) if known.is_some() => continue,
            Beginning::Trimmed(low) => {
                (ProblemCode::Trimmed, format!("partition {partition} begins at offset {low}, behind its genesis"))
            }
            Beginning::Empty => (ProblemCode::NoGenesis, format!("partition {partition} is empty")),
            Beginning::Foreign(what) => {
                (ProblemCode::NoGenesis, format!("partition {partition} does not begin with a genesis: {what}"))
            }
        };
        problems.push(Problem::new(code, name, detail));
    }
    problems
}

/// Made for the same cluster, topics and ruleset.
pub fn same(left: &JournalGenesis, right: &JournalGenesis) -> bool {
    (&left.cluster_id, &left.topics, &left.ruleset_hash) == (&right.cluster_id, &right.topics, &right.ruleset_hash)
}
