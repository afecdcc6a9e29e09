//! What the service refuses, each with its code, its HTTP status and its page in `docs/errors`.

/// Why the service did not do what was asked.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ErrorCode {
    /// A key of the settings that does not exist.
    UnknownSetting,
    /// A setting of the wrong type or unit.
    WrongSettingType,
    /// A setting out of its range.
    SettingOutOfRange,
    /// Settings that cannot be read, or are no TOML.
    UnreadableSettings,
    /// Settings that exclude each other.
    ConflictingSettings,
    /// The address is in use, or cannot be listened on.
    CannotListen,
    /// The settings' number of shards is not the data directory's.
    ShardCountDiffers,
    /// Too many records wait already.
    QueueFull,
    /// The service is stopping.
    Stopping,
    /// The request's body is too large.
    BodyTooLarge,
    /// The request's body is of a type that the service does not read.
    UnsupportedContentType,
    /// A cursor that the service did not make.
    BadCursor,
    /// A cursor below what is kept.
    CursorTrimmed,
    /// An account that nobody has booked anything on.
    UnknownAccount,
    /// A query parameter that does not exist, or has a value that cannot be.
    BadQuery,
    /// The request did not arrive in time, or not as a whole.
    IncompleteRequest,
    /// An entry of the journal does not carry its predecessor's digest.
    JournalChainBroken,
    /// Journal and stored outputs or log disagree.
    JournalDisagrees,
    /// Replay gives something else than the journal says.
    ReplayDiffers,
    /// Steps panic whatever is set aside.
    NothingToBlame,
    /// A path that does not exist, or not with this method (then 405).
    NoSuchRoute,
    /// A body that is not what its content type says.
    MalformedBody,
    /// A bug: the work on a request panicked.
    Panicked,
    /// With Kafka, events come through its topics.
    FromTopics,
    /// With Kafka, another node has the shard.
    ShardElsewhere,
}

/// What a code stands for: the code, the HTTP status of a refusal, the title of its page.
type Row = (&'static str, u16, &'static str);

impl ErrorCode {
    /// All of them, in the order of their codes.
    pub const ALL: [Self; 25] = [
        Self::UnknownSetting,
        Self::WrongSettingType,
        Self::SettingOutOfRange,
        Self::UnreadableSettings,
        Self::ConflictingSettings,
        Self::CannotListen,
        Self::ShardCountDiffers,
        Self::QueueFull,
        Self::Stopping,
        Self::BodyTooLarge,
        Self::UnsupportedContentType,
        Self::BadCursor,
        Self::CursorTrimmed,
        Self::UnknownAccount,
        Self::BadQuery,
        Self::IncompleteRequest,
        Self::JournalChainBroken,
        Self::JournalDisagrees,
        Self::ReplayDiffers,
        Self::NothingToBlame,
        Self::NoSuchRoute,
        Self::MalformedBody,
        Self::Panicked,
        Self::FromTopics,
        Self::ShardElsewhere,
    ];

    /// The code that `headroom explain` knows.
    pub fn code(self) -> &'static str {
        self.row().0
    }

    /// The HTTP status of a refusal; 500 for those that no request can cause.
    pub fn status(self) -> u16 {
        self.row().1
    }

    /// The title of its page: lower case, no full stop.
    pub fn title(self) -> &'static str {
        self.row().2
    }

    fn row(self) -> Row {
        match self {
            Self::UnknownSetting => ("HR0501", 500, "a setting that does not exist"),
            Self::WrongSettingType => ("HR0502", 500, "a setting of the wrong type or unit"),
            Self::SettingOutOfRange => ("HR0503", 500, "a setting out of its range"),
            Self::UnreadableSettings => ("HR0504", 500, "settings that cannot be read"),
            Self::ConflictingSettings => ("HR0505", 500, "settings that exclude each other"),
            Self::CannotListen => ("HR0510", 500, "the address cannot be listened on"),
            Self::ShardCountDiffers => ("HR0511", 500, "another number of shards than the data directory's"),
            Self::QueueFull => ("HR0512", 429, "too many records wait to be decided"),
            Self::Stopping => ("HR0513", 503, "the service is stopping"),
            Self::BodyTooLarge => ("HR0514", 413, "the request's body is too large"),
            Self::UnsupportedContentType => ("HR0515", 415, "a content type that the service does not read"),
            Self::BadCursor => ("HR0516", 400, "a cursor that the service did not make"),
            Self::CursorTrimmed => ("HR0517", 410, "the cursor lies below what is kept"),
            Self::UnknownAccount => ("HR0518", 404, "an account that does not exist"),
            Self::BadQuery => ("HR0519", 400, "a query parameter that cannot be used"),
            Self::IncompleteRequest => ("HR0520", 408, "the request did not arrive in time or not as a whole"),
            Self::JournalChainBroken => ("HR0521", 500, "the journal's chain is broken"),
            Self::JournalDisagrees => ("HR0522", 500, "the journal disagrees with stored outputs or log"),
            Self::ReplayDiffers => ("HR0523", 500, "a replay differs from the journal, or cannot be made"),
            Self::NothingToBlame => ("HR0524", 500, "a step panics, and nothing single is to blame"),
            Self::NoSuchRoute => ("HR0525", 404, "a path that does not exist, or not with this method"),
            Self::MalformedBody => ("HR0526", 400, "a body that is not what its content type says"),
            Self::Panicked => ("HR0527", 500, "the work on a request ended in a panic"),
            Self::FromTopics => ("HR0528", 409, "this node takes its events from Kafka"),
            Self::ShardElsewhere => ("HR0529", 421, "the shard is on another node"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_ascend_and_statuses_are_those_of_failures() {
        assert!(ErrorCode::ALL.windows(2).all(|pair| pair[0].code() < pair[1].code() && pair[0] < pair[1]));
        assert!(ErrorCode::ALL.iter().all(|each| (400..600).contains(&each.status())));
    }
}
