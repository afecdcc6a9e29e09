//! Topics and genesis where they are missing.

use headroom_engine::content_hash;
use headroom_wire::JournalGenesis;

use super::check::{Checked, check, of_topics};
use super::cluster::Cluster;
use super::genesis::{Beginning, StartAt, beginnings, differences, genesis, write};
use super::plan::plan;
use super::problem::{Problem, ProblemCode};
use super::topic::Topic;
use crate::config::KafkaConfig;

/// The first ruleset of shards that are made.
#[derive(Clone, Copy, Debug)]
pub struct FirstRuleset<'a> {
    /// Path and text of its files.
    pub files: &'a [(String, String)],
    /// Somebody named it: shards that were made with another one are a problem.
    pub is_named: bool,
}

/// What was made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Created {
    /// Topics that were missing.
    pub topics: Vec<String>,
    /// Shards that had no genesis.
    pub genesis: Vec<u32>,
    /// What there is now.
    pub checked: Checked,
}

/// Makes what is missing and changes nothing that is there: topics, then the genesis of every shard. Doing it again
/// makes what the first time left.
///
/// # Errors
/// All problems at once. With topics that are wrong no genesis is written.
pub fn create(config: &KafkaConfig, rules: FirstRuleset<'_>, start: StartAt) -> Result<Created, Vec<Problem>> {
    let one = |error| vec![Problem::from(error)];
    let cluster = Cluster::connect(config).map_err(one)?;
    let there = cluster.topics().map_err(one)?;
    let missing: Vec<_> = plan(config).into_iter().filter(|each| !there.contains_key(&each.topic)).collect();
    cluster.create(&missing).map_err(one)?;
    let topics = cluster.topics().map_err(one)?;
    let problems = of_topics(config, &topics);
    if !problems.is_empty() {
        return Err(problems);
    }
    let shards = topics[&Topic::Journal].partitions;
    let found = beginnings(config, &cluster, shards).map_err(one)?;
    let mut wanted = genesis(config, &cluster, &topics, rules.files, start).map_err(one)?;
    if let Some(first) = found.iter().find_map(first_genesis) {
        let mut problems = differences(first, &wanted[0].cluster_id, &topics);
        problems.extend(of_rules(rules, first, &Topic::Journal.name(&config.topic_prefix)));
        if !problems.is_empty() {
            return Err(problems);
        }
        // Shards that an interrupted call left are made as the others were.
        for each in &mut wanted {
            *each = JournalGenesis { inputs: std::mem::take(&mut each.inputs), ..first.clone() };
        }
    }
    let empty = (0..).zip(wanted).zip(&found).filter(|(_, found)| **found == Beginning::Empty);
    let empty: Vec<(u32, JournalGenesis)> = empty.map(|(genesis, _)| genesis).collect();
    write(config, &empty).map_err(one)?;
    let genesis = empty.iter().map(|(shard, _)| *shard).collect();
    let topics = missing.into_iter().map(|each| each.name).collect();
    Ok(Created { topics, genesis, checked: check(config, found.iter().find_map(first_genesis))? })
}

fn first_genesis(beginning: &Beginning) -> Option<&JournalGenesis> {
    match beginning {
        Beginning::Genesis(genesis) => Some(genesis),
        _ => None,
    }
}

fn of_rules(rules: FirstRuleset<'_>, first: &JournalGenesis, journal: &str) -> Option<Problem> {
    let hash = content_hash(rules.files);
    let differs = rules.is_named && hash != first.ruleset_hash;
    differs.then(|| {
        let detail = format!("the shards were made with ruleset `{}`, not `{hash}`", first.ruleset_hash);
        Problem::new(ProblemCode::OtherGenesis, journal, detail)
    })
}
