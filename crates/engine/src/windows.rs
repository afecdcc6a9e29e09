//! Orders over time, sparse: 24 hours by the hour, 35 days by the day, 13 months by the month.
//!
//! Hours hold what the 24-hour sums cover. When an hour leaves that window it is folded into its day and month, so the
//! baselines (largest day, largest order, count of months) exclude what the sums include, with nothing to subtract.

use crate::time::{HOUR, Timestamp, Zone, month_of_day};

/// Hours that the sums of a day cover: the current one and 23 before.
pub const HOURS: i32 = 24;
/// Days that are kept: the current one and 34 before.
pub const DAYS: i32 = 35;
/// Days of which sums are formed: the current one and 29 before. Older days only bound the largest day.
pub const SUM_DAYS: i32 = 30;
/// Months that are kept: the current one and 12 before.
pub const MONTHS: i32 = 13;

/// Windows of one side's orders.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Windows {
    /// Recent hours, oldest first.
    pub hours: Vec<HourBucket>,
    /// Days, oldest first.
    pub days: Vec<DayBucket>,
    /// Months, oldest first.
    pub months: Vec<MonthBucket>,
}

/// Orders placed within one hour (UTC).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct HourBucket {
    /// Hours since 1970.
    pub hour: i32,
    /// Sum, minor units.
    pub amount: i64,
    /// Orders.
    pub count: u32,
    /// Orders of at least the ruleset's `large_order`.
    pub large: u32,
    /// The largest order.
    pub max_order: i64,
}

/// Orders of one business day, apart from those that still stand in hours.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DayBucket {
    /// Days since 1970.
    pub day: i32,
    /// Placed, minor units.
    pub placed: i64,
    /// Paid, minor units; 0 on days that no sum covers any more.
    pub paid: i64,
    /// Refunded, minor units; 0 on days that no sum covers any more.
    pub refunded: i64,
    /// Cancelled, minor units; 0 on days that no sum covers any more.
    pub cancelled: i64,
}

/// Orders of one business month, apart from those that still stand in hours.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct MonthBucket {
    /// Months since year 0.
    pub month: i32,
    /// Orders.
    pub count: u32,
    /// The largest order; 0 if a later month has one as large: that one stays longer, so nothing reads the earlier.
    pub max_order: i64,
}

impl Windows {
    /// Moves the windows to `now`: folds hours that left, drops days and months that are too old.
    pub fn roll(&mut self, now: Timestamp, zone: &Zone) {
        let first_hour = now.hour().saturating_sub(HOURS - 1);
        if self.hours.first().is_some_and(|oldest| oldest.hour < first_hour) {
            let left = self.hours.partition_point(|each| each.hour < first_hour);
            for bucket in self.hours.drain(..left).collect::<Vec<_>>() {
                self.fold(bucket, zone);
            }
        }
        self.trim(zone.day(now));
    }

    fn trim(&mut self, today: i32) {
        let first_day = today.saturating_sub(DAYS - 1);
        let first_month = month_of_day(today).saturating_sub(MONTHS - 1);
        if self.days.first().is_some_and(|oldest| oldest.day < first_day) {
            self.days.retain(|each| each.day >= first_day);
        }
        if self.months.first().is_some_and(|oldest| oldest.month < first_month) {
            self.months.retain(|each| each.month >= first_month);
        }
        self.forget_unread(today);
    }

    /// Forgets what no feature can read again, however late orders are: it would only take room in the store.
    fn forget_unread(&mut self, today: i32) {
        let first_summed = today.saturating_sub(SUM_DAYS - 1);
        let unsummed = self.days.partition_point(|each| each.day < first_summed);
        for each in &mut self.days[..unsummed] {
            (each.paid, each.refunded, each.cancelled) = (0, 0, 0);
        }
        if self.days[..unsummed].iter().any(|each| each.placed == 0) {
            self.days.retain(|each| each.placed != 0 || each.day >= first_summed);
        }
        let mut later = 0;
        for each in self.months.iter_mut().rev() {
            if each.max_order <= later {
                each.max_order = 0;
            }
            later = later.max(each.max_order);
        }
    }

    fn fold(&mut self, bucket: HourBucket, zone: &Zone) {
        let day = zone.day(Timestamp(i64::from(bucket.hour) * HOUR));
        self.day(day).placed += bucket.amount;
        let month = self.month(month_of_day(day));
        month.count = month.count.saturating_add(bucket.count);
        month.max_order = month.max_order.max(bucket.max_order);
    }

    /// Books an order where its own time belongs; one that is older than the hours goes to its day and month.
    pub fn place(&mut self, at: Timestamp, amount: i64, large: bool, now: Timestamp, zone: &Zone) {
        let hour = at.hour();
        let one = HourBucket { hour, amount, count: 1, large: u32::from(large), max_order: amount };
        if hour < now.hour().saturating_sub(HOURS - 1) {
            self.fold(one, zone);
            self.trim(zone.day(now));
            return;
        }
        let bucket = self.hour(hour);
        bucket.amount += one.amount;
        bucket.count = bucket.count.saturating_add(1);
        bucket.large = bucket.large.saturating_add(one.large);
        bucket.max_order = bucket.max_order.max(amount);
    }

    /// The bucket of an hour, made if missing.
    fn hour(&mut self, hour: i32) -> &mut HourBucket {
        let at = self.hours.partition_point(|each| each.hour < hour);
        if self.hours.get(at).is_none_or(|each| each.hour != hour) {
            self.hours.insert(at, HourBucket { hour, ..HourBucket::default() });
        }
        &mut self.hours[at]
    }

    /// The bucket of a day, made if missing.
    pub fn day(&mut self, day: i32) -> &mut DayBucket {
        let at = self.days.partition_point(|each| each.day < day);
        if self.days.get(at).is_none_or(|each| each.day != day) {
            self.days.insert(at, DayBucket { day, ..DayBucket::default() });
        }
        &mut self.days[at]
    }

    fn month(&mut self, month: i32) -> &mut MonthBucket {
        let at = self.months.partition_point(|each| each.month < month);
        if self.months.get(at).is_none_or(|each| each.month != month) {
            self.months.insert(at, MonthBucket { month, ..MonthBucket::default() });
        }
        &mut self.months[at]
    }

    /// Sum of the recent hours from one on, minor units.
    pub fn amount_since_hour(&self, hour: i32) -> i64 {
        self.hours.iter().filter(|each| each.hour >= hour).map(|each| each.amount).sum()
    }

    /// Sum of something over days from one on.
    pub fn days_since(&self, day: i32, what: impl Fn(&DayBucket) -> i64) -> i64 {
        self.days.iter().filter(|each| each.day >= day).map(what).sum()
    }

    /// The largest day among those that the 24-hour sums do not cover; 0 if there is none.
    pub fn max_day(&self) -> i64 {
        self.days.iter().map(|each| each.placed).max().unwrap_or(0)
    }

    /// The largest order among those that the 24-hour sums do not cover; 0 if there is none.
    pub fn max_order(&self) -> i64 {
        self.months.iter().map(|each| each.max_order).max().unwrap_or(0)
    }

    /// Orders among those that the 24-hour sums do not cover.
    pub fn count(&self) -> i64 {
        self.months.iter().map(|each| i64::from(each.count)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::DAY;

    #[test]
    fn baselines_exclude_what_the_sums_cover() {
        let zone = Zone::utc();
        let mut windows = Windows::default();
        let start = Timestamp(100 * DAY);
        windows.place(start, 500, false, start, &zone);
        windows.place(start.plus(HOUR), 900, true, start.plus(HOUR), &zone);
        assert_eq!((windows.max_day(), windows.max_order(), windows.count()), (0, 0, 0));
        let later = start.plus(24 * HOUR);
        windows.roll(later, &zone);
        assert_eq!((windows.amount_since_hour(0), windows.max_day(), windows.count()), (900, 500, 1));
        windows.roll(later.plus(HOUR), &zone);
        assert_eq!((windows.amount_since_hour(0), windows.max_day(), windows.max_order()), (0, 1400, 900));
        windows.roll(start.plus(36 * DAY), &zone);
        assert_eq!((windows.max_day(), windows.max_order()), (0, 900));
    }

    /// An order as it happened: day, hour, amount.
    type Order = (i32, i32, i64);

    /// What features read of the windows, worked out from every order there was.
    fn from_scratch(orders: &[Order], paid: &[(i32, i64)], hour: i32) -> [i64; 6] {
        let today = hour.div_euclid(24);
        let placed = || orders.iter().filter(|(_, at, _)| *at <= hour - HOURS);
        let by_day =
            (today - DAYS + 1..=today).map(|day| placed().filter(|each| each.0 == day).map(|each| each.2).sum::<i64>());
        let month = month_of_day(today);
        let in_months = || placed().filter(|each| month_of_day(each.0) > month - MONTHS);
        let active = (month - 11..=month).filter(|month| placed().any(|each| month_of_day(each.0) == *month));
        [
            placed().filter(|each| each.0 > today - SUM_DAYS).map(|each| each.2).sum(),
            paid.iter().filter(|each| each.0 > today - SUM_DAYS).map(|each| each.1).sum(),
            by_day.max().unwrap_or(0),
            in_months().map(|each| each.2).max().unwrap_or(0),
            i64::try_from(in_months().count()).unwrap(),
            i64::try_from(active.count()).unwrap(),
        ]
    }

    fn from_windows(windows: &Windows, hour: i32) -> [i64; 6] {
        let today = hour.div_euclid(24);
        let month = month_of_day(today);
        let active = windows.months.iter().filter(|each| each.month > month - 12 && each.count > 0);
        [
            windows.days_since(today - SUM_DAYS + 1, |each| each.placed),
            windows.days_since(today - SUM_DAYS + 1, |each| each.paid),
            windows.max_day(),
            windows.max_order(),
            windows.count(),
            i64::try_from(active.count()).unwrap(),
        ]
    }

    /// Some order early, some late by up to 50 days, over two years.
    #[test]
    fn what_is_forgotten_changes_no_feature() {
        let (zone, mut dice) = (Zone::utc(), 7_u64);
        let mut roll = |below: i32| {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            i32::try_from((dice >> 33) % u64::try_from(below).unwrap()).unwrap()
        };
        let (mut windows, mut orders, mut paid) = (Windows::default(), Vec::new(), Vec::new());
        let (mut hour, mut forgotten) = (20_000 * 24, 0);
        for _ in 0..2_000 {
            hour += roll(18);
            let now = Timestamp(i64::from(hour) * HOUR);
            windows.roll(now, &zone);
            let at = if roll(4) == 0 { hour - roll(1_200) } else { hour };
            let amount = i64::from(roll(1_000)) + 1;
            windows.place(Timestamp(i64::from(at) * HOUR), amount, false, now, &zone);
            orders.push((at.div_euclid(24), at, amount));
            let day = hour.div_euclid(24) - roll(SUM_DAYS);
            windows.day(day).paid += amount;
            paid.push((day, amount));
            assert_eq!(from_windows(&windows, hour), from_scratch(&orders, &paid, hour), "at hour {hour}");
            forgotten += windows.months.iter().filter(|each| each.max_order == 0).count();
        }
        assert!(forgotten > 2_000, "{forgotten}");
    }

    #[test]
    fn days_that_no_sum_covers_hold_only_what_was_placed() {
        let (zone, start) = (Zone::utc(), Timestamp(100 * DAY));
        let mut windows = Windows::default();
        windows.place(start, 500, false, start, &zone);
        windows.day(100).paid = 500;
        windows.day(101).paid = 70;
        windows.roll(start.plus(29 * DAY), &zone);
        assert_eq!(windows.days_since(100, |each| each.paid), 570);
        windows.roll(start.plus(31 * DAY), &zone);
        assert_eq!(windows.days, [DayBucket { day: 100, placed: 500, ..DayBucket::default() }]);
    }

    #[test]
    fn late_orders_are_booked_where_they_belong() {
        let zone = Zone::utc();
        let mut windows = Windows::default();
        let now = Timestamp(100 * DAY);
        windows.place(now.plus(-3 * DAY), 70, false, now, &zone);
        windows.place(now.plus(-3 * HOUR), 30, false, now, &zone);
        assert_eq!((windows.amount_since_hour(0), windows.max_day(), windows.count()), (30, 70, 1));
        windows.place(now.plus(-40 * DAY), 10_000, false, now, &zone);
        assert_eq!(windows.max_day(), 70);
        assert_eq!(windows.max_order(), 10_000);
    }
}
