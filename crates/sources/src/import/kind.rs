use headroom_wire::proto::account_event::Kind as Account;
use headroom_wire::proto::event::Body;
use headroom_wire::proto::order_event::Kind as Order;
use headroom_wire::proto::repayment_event::Kind as Repayment;
use headroom_wire::proto::{Event, control_event, market_event, promotion_event};

/// The event's type, and its place among events of the same instant: account opened, what else is known of the account
/// and the market, promotions, repayments, cancellations, orders placed, orders paid, overdue, statements.
pub(super) fn kind_of(event: &Event) -> (&'static str, u8) {
    match &event.body {
        None => ("nothing", 9),
        Some(Body::Account(account)) => account_kind(account.kind.as_ref()),
        Some(Body::Signal(_)) => ("signal", 1),
        Some(Body::Market(market)) => (market_name(market.kind.as_ref()), 1),
        Some(Body::Control(control)) => (control_name(control.kind.as_ref()), 1),
        Some(Body::Promotion(promotion)) => (promotion_name(promotion.kind()), 2),
        Some(Body::Repayment(repayment)) => repayment_kind(repayment.kind.as_ref()),
        Some(Body::Order(order)) => order_kind(order.kind()),
    }
}

fn order_kind(kind: Order) -> (&'static str, u8) {
    match kind {
        Order::Unspecified => ("order", 5),
        Order::Placed => ("order_placed", 5),
        Order::Paid => ("order_paid", 6),
        Order::Cancelled => ("order_cancelled", 4),
        Order::Refunded => ("order_refunded", 4),
        Order::HoldExpired => ("order_hold_expired", 4),
        Order::DeclinedForLimit => ("order_declined_for_limit", 5),
    }
}

fn repayment_kind(kind: Option<&Repayment>) -> (&'static str, u8) {
    match kind {
        None => ("repayment", 3),
        Some(Repayment::StatementIssued(_)) => ("statement_issued", 8),
        Some(Repayment::PaymentPosted(_)) => ("payment_posted", 3),
        Some(Repayment::PaymentCleared(_)) => ("payment_cleared", 3),
        Some(Repayment::PaymentReturned(_)) => ("payment_returned", 3),
        Some(Repayment::OverdueReported(_)) => ("overdue_reported", 7),
        Some(Repayment::PromiseMade(_)) => ("promise_made", 3),
        Some(Repayment::PromiseBroken(_)) => ("promise_broken", 3),
        Some(Repayment::AutopayChanged(_)) => ("autopay_changed", 3),
    }
}

fn account_kind(kind: Option<&Account>) -> (&'static str, u8) {
    let name = match kind {
        None => "account",
        Some(Account::Opened(_)) => return ("account_opened", 0),
        Some(Account::LedgerSnapshot(_)) => "ledger_snapshot",
        Some(Account::ConsentChanged(_)) => "consent_changed",
        Some(Account::OfferAnswered(_)) => "offer_answered",
        Some(Account::ManualBlock(_)) => "manual_block",
        Some(Account::ManualUnblock(_)) => "manual_unblock",
        Some(Account::ManualOverride(_)) => "manual_override",
        Some(Account::SegmentChanged(_)) => "segment_changed",
        Some(Account::TierChanged(_)) => "tier_changed",
        Some(Account::PromotionEnrolled(_)) => "promotion_enrolled",
        Some(Account::PromotionWithdrawn(_)) => "promotion_withdrawn",
        Some(Account::HardshipChanged(_)) => "hardship_changed",
        Some(Account::ReviewResolved(_)) => "review_resolved",
        Some(Account::AppealOpened(_)) => "appeal_opened",
        Some(Account::Closed(_)) => "account_closed",
        Some(Account::Outcome(_)) => "outcome_labelled",
    };
    (name, 1)
}

fn promotion_name(kind: promotion_event::Kind) -> &'static str {
    match kind {
        promotion_event::Kind::Unspecified => "promotion",
        promotion_event::Kind::Announced => "promotion_announced",
        promotion_event::Kind::Started => "promotion_started",
        promotion_event::Kind::Extended => "promotion_extended",
        promotion_event::Kind::Ended => "promotion_ended",
    }
}

fn market_name(kind: Option<&market_event::Kind>) -> &'static str {
    match kind {
        None => "market",
        Some(market_event::Kind::RegimeChanged(_)) => "regime_changed",
        Some(market_event::Kind::HolidayCalendar(_)) => "holiday_calendar",
        Some(market_event::Kind::PortfolioBudget(_)) => "portfolio_budget",
    }
}

fn control_name(kind: Option<&control_event::Kind>) -> &'static str {
    match kind {
        None => "control",
        Some(control_event::Kind::RulesetPublished(_)) => "ruleset_published",
        Some(control_event::Kind::FaultDeclared(_)) => "fault_declared",
        Some(control_event::Kind::FaultCleared(_)) => "fault_cleared",
        Some(control_event::Kind::RolloutRolledBack(_)) => "rollout_rolled_back",
    }
}
