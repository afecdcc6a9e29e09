//! The tables: the first byte of every key. A byte is reserved for ever; one that is given up is never used again.

/// What a key is about.
///
/// | byte | table | key after it | value after the version byte |
/// |---|---|---|---|
/// | 0x01 | meta | one byte, [`Meta`] | by key |
/// | 0x02 | accounts | account id | account message |
/// | 0x03 | timers | due, account id, 0x00, kind, rule | nothing |
/// | 0x04 | seen | day, hash | content hash |
/// | 0x05 | positions | input, 0x00, partition | next offset |
/// | 0x06 | outputs | kind, sequence | length of account id, account id, output message |
/// | 0x07 | rulesets | content hash as published | ruleset message |
/// | 0x08 | journal | sequence | journal message |
/// | 0x09 | log of embedded mode | offset | log record message |
/// | 0x0a | reserved: snapshots | | |
/// | 0x0b | outputs by account | account id, 0x00, sequence | kind |
///
/// Numbers are big-endian, signed ones with their sign bit flipped: bytes sort as values do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Table {
    Meta = 0x01,
    Accounts = 0x02,
    Timers = 0x03,
    Seen = 0x04,
    Positions = 0x05,
    Outputs = 0x06,
    Rulesets = 0x07,
    Journal = 0x08,
    Log = 0x09,
    ByAccount = 0x0b,
}

impl Table {
    pub(crate) fn byte(self) -> u8 {
        self as u8
    }

    pub(crate) fn of_byte(byte: u8) -> Option<Self> {
        use Table::{Accounts, ByAccount, Journal, Log, Meta, Outputs, Positions, Rulesets, Seen, Timers};
        let all = [Meta, Accounts, Timers, Seen, Positions, Outputs, Rulesets, Journal, Log, ByAccount];
        all.into_iter().find(|table| table.byte() == byte)
    }

    /// The first key of the table and the first behind it.
    pub(crate) fn range(self) -> (Vec<u8>, Vec<u8>) {
        (vec![self.byte()], vec![self.byte() + 1])
    }

    pub(crate) fn family(self) -> Family {
        match self {
            Self::Meta | Self::Accounts | Self::Timers | Self::Positions | Self::Rulesets => Family::State,
            Self::Seen | Self::ByAccount => Family::Seen,
            Self::Outputs | Self::Journal | Self::Log => Family::Log,
        }
    }
}

/// Where RocksDB keeps a table. Three shapes of data, each with its own tuning (`tuning.rs`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Family {
    /// Rewritten all the time, read by key.
    State,
    /// Tiny, written once in no order, dropped by age.
    Seen,
    /// Appended in order, read in order.
    Log,
}

impl Family {
    pub(crate) const ALL: [Self; 3] = [Self::State, Self::Seen, Self::Log];

    /// Stored by RocksDB; it insists on one that is called `default`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::State => "default",
            Self::Seen => "seen",
            Self::Log => "log",
        }
    }
}

/// Keys of the table [`Table::Meta`], stored like table bytes: never reused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Meta {
    /// The shard's state.
    State = 0x01,
    /// How many outputs there are: the sequence of the next.
    Outputs = 0x02,
    /// Bytes of the file that outputs are copied to.
    OutLength = 0x03,
    /// Content hash of the ruleset in force.
    Ruleset = 0x04,
    /// The file that outputs are copied to.
    OutPath = 0x05,
    /// Promotions, market, control: the part of the state that seldom changes and may be large.
    Broadcasts = 0x06,
    /// The first output that is kept.
    OutputsStart = 0x07,
    /// The first journal record that is kept.
    JournalStart = 0x08,
    /// The first log record that is kept.
    LogStart = 0x09,
    /// What the shard was about to do.
    Attempt = 0x0a,
}
