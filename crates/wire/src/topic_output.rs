//! Outputs as records of topics: CloudEvents, with the output's own message as the value.

use crate::proto::{self, output};
use crate::topic_event::{TopicRecord, cloud_headers, time_text};
use crate::value_format::ValueFormat;
use crate::{DecodeError, EncodeError, Timestamp};

/// Who publishes outputs.
const SOURCE: &str = "headroom";

/// What a header says of an output.
struct About<'a> {
    type_name: &'static str,
    id: &'a str,
    account: &'a str,
    at: Option<Timestamp>,
    value: Vec<u8>,
}

/// Writes an output; `schema` is the id of `outputs.proto` in a registry, for [`ValueFormat::Confluent`]. The same output
/// gives the same record.
///
/// # Errors
/// An output without content, an enum number or a time that has no text.
pub fn output_to_topic(output: &proto::Output, format: ValueFormat, schema: u32) -> Result<TopicRecord, EncodeError> {
    let body = output.body.as_ref().ok_or_else(|| EncodeError { detail: "the output has no content".to_owned() })?;
    let place;
    let about = match body {
        output::Body::LimitChange(each) => About {
            type_name: "headroom.v1.LimitChange",
            id: &each.id,
            account: &each.account_id,
            at: each.effective_at,
            value: format.write(each, (schema, LIMIT_CHANGE))?,
        },
        output::Body::Offer(each) => About {
            type_name: "headroom.v1.Offer",
            id: &each.id,
            account: &each.account_id,
            at: each.created_at,
            value: format.write(each, (schema, OFFER))?,
        },
        output::Body::Notice(each) => About {
            type_name: "headroom.v1.Notice",
            id: &each.id,
            account: &each.account_id,
            at: each.created_at,
            value: format.write(each, (schema, NOTICE))?,
        },
        output::Body::Review(each) => About {
            type_name: "headroom.v1.Review",
            id: &each.id,
            account: &each.account_id,
            at: each.created_at,
            value: format.write(each, (schema, REVIEW))?,
        },
        output::Body::DeadLetter(each) => {
            place = format!("{}:{}:{}", each.input, each.partition, each.offset);
            About {
                type_name: "headroom.v1.DeadLetter",
                id: &place,
                account: &each.account_id,
                at: each.at,
                value: format.write(each, (schema, DEAD_LETTER))?,
            }
        }
    };
    about.record(format)
}

/// Reads a record of the topic of dead letters.
///
/// # Errors
/// `UNPARSEABLE` for a value that is none.
pub fn dead_letter_from_topic(format: ValueFormat, value: &[u8]) -> Result<proto::DeadLetter, DecodeError> {
    format.read(value)
}

/// Places among the messages of `outputs.proto`.
const LIMIT_CHANGE: u8 = 1;
const OFFER: u8 = 15;
const NOTICE: u8 = 16;
const REVIEW: u8 = 17;
const DEAD_LETTER: u8 = 18;

impl About<'_> {
    fn record(self, format: ValueFormat) -> Result<TopicRecord, EncodeError> {
        let mut headers = cloud_headers(self.type_name, self.id, SOURCE, format);
        if let Some(at) = self.at {
            headers.push(("ce_time", time_text(at)?));
        }
        let key = Some(self.account.to_owned()).filter(|account| !account.is_empty());
        Ok(TopicRecord { key, value: self.value, headers })
    }
}
