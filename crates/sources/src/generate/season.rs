//! The loop over the days of a season.

use std::collections::BTreeMap;
use std::io;

use headroom_wire::proto;

use super::calendar::{DAY, OPENING_HOURS, Season};
use super::draft::{Draft, EVERYBODY};
use super::ledger::Ledger;
use super::profile::segment_of;
use super::scene::Scene;
use super::timeline::Timeline;
use super::write::event;
use super::{broadcast, opening};

/// Ten years: far more than the calendar of promotions and holidays fills.
const DAYS_MAX: u32 = 3_660;

/// What to generate. The same plan gives the same events on any machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeasonPlan {
    /// Number of accounts, below 2³² − 1. One in five is a merchant. Each takes 56 bytes of memory, and its events of
    /// a day some more.
    pub accounts: u64,
    /// Length in days, 1 to 3660; the season ends some days after Double 11 of 2025, and 200 days begin with June of that year.
    pub days: u32,
    /// Chooses the season among all of its size.
    pub seed: u64,
}

/// What was generated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GenerateSummary {
    /// Events by type, for example `order_placed`; signals by the name of their fact.
    pub events: BTreeMap<&'static str, u64>,
    /// Accounts by segment, in the contract's spelling without its prefix, for example `merchant_key`.
    pub accounts: BTreeMap<String, u64>,
    /// Ids of the promotions, in time order.
    pub promotions: Vec<String>,
    /// Events that came a second time, included in `events`.
    pub duplicates: u64,
    /// Events that became known later than they happened, second copies aside.
    pub late: u64,
    /// The most events that were held in memory at one time.
    pub held_max: u64,
}

impl GenerateSummary {
    /// All events.
    pub fn events_total(&self) -> u64 {
        self.events.values().sum()
    }

    fn count(&mut self, draft: &Draft) {
        *self.events.entry(draft.what.name()).or_default() += 1;
        self.duplicates += u64::from(draft.again);
        self.late += u64::from(draft.late > 0 && !draft.again);
    }
}

/// Generates a season, sorted by record time (`recorded_at`, else `occurred_at`) and, within one instant, by kind rank.
/// Each event goes to `sink`; after each hour of the season that had any, `progress` hears how many there were so far.
///
/// Accounts live in the books of a Chinese marketplace: money is in fen (CNY), the business zone is Asia/Shanghai.
/// About one event in a thousand comes twice, two in a thousand late.
///
/// # Errors
/// `InvalidInput` when the plan has too many accounts, too many days or none; otherwise what `sink` returns, at once.
pub fn generate(
    plan: &SeasonPlan,
    sink: &mut dyn FnMut(proto::Event) -> io::Result<()>,
    progress: &mut dyn FnMut(u64),
) -> io::Result<GenerateSummary> {
    let season = season_of(plan)?;
    let mut run = Run::new(&season);
    for day in 0..season.days {
        run.plan_day(day);
        for hour in 0..24 {
            run.emit_hour(day, hour, sink, progress)?;
        }
        run.timeline.next_day();
    }
    run.summary.held_max = run.timeline.held_max;
    Ok(run.summary)
}

fn season_of(plan: &SeasonPlan) -> io::Result<Season> {
    let accounts = u32::try_from(plan.accounts).ok().filter(|accounts| *accounts < EVERYBODY);
    let accounts = accounts
        .ok_or_else(|| refused(format!("`{}` accounts are too many, the most is {}", plan.accounts, EVERYBODY - 1)))?;
    if !(1..=DAYS_MAX).contains(&plan.days) {
        return Err(refused(format!("`{}` days are no season, it has 1 to {DAYS_MAX}", plan.days)));
    }
    Ok(Season::new(plan.seed, accounts, plan.days))
}

fn refused(text: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, text)
}

struct Run<'a> {
    season: &'a Season,
    /// By account number.
    ledgers: Vec<Ledger>,
    timeline: Timeline,
    summary: GenerateSummary,
    emitted: u64,
}

impl<'a> Run<'a> {
    fn new(season: &'a Season) -> Self {
        let mut timeline = Timeline::new(season.seed, season.start, season.end());
        broadcast::play(season, &mut timeline);
        Run {
            season,
            ledgers: vec![Ledger::default(); season.accounts as usize],
            timeline,
            summary: GenerateSummary {
                accounts: segments(season),
                promotions: season.promotions.iter().map(|promotion| promotion.id.to_owned()).collect(),
                ..GenerateSummary::default()
            },
            emitted: 0,
        }
    }

    fn plan_day(&mut self, day: u32) {
        let today = self.season.today(day);
        for (account, ledger) in (0..).zip(&self.ledgers) {
            if !ledger.closed {
                Scene::new(today, account, ledger, &mut self.timeline).play();
            }
        }
    }

    fn emit_hour(
        &mut self,
        day: u32,
        hour: u32,
        sink: &mut dyn FnMut(proto::Event) -> io::Result<()>,
        progress: &mut dyn FnMut(u64),
    ) -> io::Result<()> {
        if day == 0 && hour < OPENING_HOURS {
            opening::play(self.season, hour, &mut self.timeline);
        }
        let drafts = self.timeline.take_hour(hour as usize);
        for draft in &drafts {
            self.emit(draft, sink)?;
        }
        if !drafts.is_empty() {
            progress(self.emitted);
        }
        Ok(())
    }

    /// Nothing is heard of an account after it was closed.
    fn emit(&mut self, draft: &Draft, sink: &mut dyn FnMut(proto::Event) -> io::Result<()>) -> io::Result<()> {
        let published = match self.ledgers.get_mut(draft.account as usize) {
            None => event(self.season, draft, &Ledger::default()),
            Some(ledger) if ledger.closed => return Ok(()),
            Some(ledger) => {
                let published = event(self.season, draft, ledger);
                if !draft.again {
                    ledger.book(&draft.what, day_of(self.season, draft.occurred()));
                }
                published
            }
        };
        self.summary.count(draft);
        self.emitted += 1;
        sink(published)
    }
}

fn day_of(season: &Season, second: i64) -> u32 {
    u32::try_from((second - season.start).div_euclid(DAY)).unwrap_or(0)
}

fn segments(season: &Season) -> BTreeMap<String, u64> {
    let mut accounts = BTreeMap::new();
    for account in 0..season.accounts {
        *accounts.entry(segment_of(season.seed, account)).or_default() += 1;
    }
    let name = |segment: proto::Segment| segment.as_str_name().trim_start_matches("SEGMENT_").to_ascii_lowercase();
    accounts.into_iter().map(|(segment, count)| (name(segment), count)).collect()
}
