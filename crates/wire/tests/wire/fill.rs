//! Messages filled by reflection, so that a field that is added to the contract is tested without a line here.

use std::sync::LazyLock;

use prost_reflect::{
    Cardinality, DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, Value,
};

/// The contract.
pub fn pool() -> DescriptorPool {
    static POOL: LazyLock<DescriptorPool> =
        LazyLock::new(|| DescriptorPool::decode(headroom_wire::proto::FILE_DESCRIPTOR_SET).unwrap());
    POOL.clone()
}

/// A message type of the contract.
pub fn message(name: &str) -> MessageDescriptor {
    pool().get_message_by_name(&format!("headroom.v1.{name}")).unwrap()
}

/// Numbers that look random and follow from a seed (splitmix64).
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.roll() % bound as u64).unwrap()
    }

    pub fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// Small ones, large ones and the ends of the range.
    pub fn number(&mut self) -> i64 {
        match self.below(5) {
            0 => self.roll().cast_signed(),
            1 => i64::MIN,
            2 => i64::MAX,
            _ => (self.roll() % 100_000).cast_signed(),
        }
    }

    fn text(&mut self) -> String {
        const PARTS: [&str; 8] = ["a", "Z", "0", "_", "\"", "\\", "大促", "\u{1f4a1}"];
        (0..self.below(9)).map(|_| PARTS[self.below(PARTS.len())]).collect()
    }
}

/// A message with about half of its fields set to anything that their types can carry.
pub fn random(descriptor: &MessageDescriptor, dice: &mut Dice) -> DynamicMessage {
    let mut filled = DynamicMessage::new(descriptor.clone());
    if descriptor.full_name() == "google.protobuf.Timestamp" {
        fill_timestamp(&mut filled, dice);
        return filled;
    }
    for field in descriptor.fields() {
        let taken = field.containing_oneof().is_some_and(|choice| choice.fields().any(|each| filled.has_field(&each)));
        if dice.one_in(2) && !taken {
            let value = random_field(&field, dice);
            filled.set_field(&field, value);
        }
    }
    filled
}

fn fill_timestamp(filled: &mut DynamicMessage, dice: &mut Dice) {
    let nanos = [0, 120_000_000, 1_000, 999_999_999][dice.below(4)];
    let seconds = (dice.roll() % 315_537_897_600).cast_signed() - 62_135_596_800;
    filled.set_field_by_name("seconds", Value::I64(seconds));
    filled.set_field_by_name("nanos", Value::I32(nanos));
}

fn random_field(field: &FieldDescriptor, dice: &mut Dice) -> Value {
    if field.is_map() {
        let entries = (0..dice.below(3)).map(|_| (MapKey::String(dice.text()), Value::String(dice.text())));
        Value::Map(entries.collect())
    } else if field.cardinality() == Cardinality::Repeated {
        Value::List((0..dice.below(4)).map(|_| random_value(&field.kind(), dice)).collect())
    } else {
        random_value(&field.kind(), dice)
    }
}

fn random_value(kind: &Kind, dice: &mut Dice) -> Value {
    match kind {
        Kind::Int64 | Kind::Sint64 => Value::I64(dice.number()),
        Kind::Uint64 | Kind::Fixed64 => Value::U64(dice.roll()),
        Kind::Int32 | Kind::Sint32 => Value::I32(i32::try_from(dice.number() >> 32).unwrap()),
        Kind::Uint32 => Value::U32(u32::try_from(dice.roll() >> 32).unwrap()),
        Kind::Bool => Value::Bool(dice.one_in(2)),
        Kind::String => Value::String(dice.text()),
        Kind::Bytes => Value::Bytes(dice.text().into_bytes().into()),
        Kind::Enum(choices) => {
            let values: Vec<_> = choices.values().collect();
            Value::EnumNumber(values[dice.below(values.len())].number())
        }
        Kind::Message(inner) => Value::Message(random(inner, dice)),
        other => panic!("the contract has no {other:?}"),
    }
}

/// A message with every field set to something that differs from its default; of a choice the field `of`, or the first.
pub fn full(descriptor: &MessageDescriptor, path: &[FieldDescriptor]) -> DynamicMessage {
    let mut filled = DynamicMessage::new(descriptor.clone());
    for field in descriptor.fields() {
        let wanted = path.iter().find(|each| each.parent_message() == field.parent_message());
        let choice = field.containing_oneof().filter(|choice| choice.fields().len() > 1);
        let chosen = choice.is_none_or(|choice| match wanted {
            Some(wanted) if wanted.containing_oneof() == Some(choice.clone()) => *wanted == field,
            _ => choice.fields().next() == Some(field.clone()),
        });
        if chosen {
            filled.set_field(&field, full_field(&field, path));
        }
    }
    filled
}

fn full_field(field: &FieldDescriptor, path: &[FieldDescriptor]) -> Value {
    let value = full_value(field, path);
    if field.is_map() {
        Value::Map([(MapKey::String("key".into()), Value::String("value".into()))].into())
    } else if field.cardinality() == Cardinality::Repeated {
        Value::List(vec![value])
    } else {
        value
    }
}

fn full_value(field: &FieldDescriptor, path: &[FieldDescriptor]) -> Value {
    let number = field.number();
    match field.kind() {
        Kind::Int64 | Kind::Sint64 => Value::I64(i64::from(number) * 10_000),
        Kind::Uint64 | Kind::Fixed64 => Value::U64(u64::from(number) * 10_000),
        Kind::Int32 | Kind::Sint32 => Value::I32(i32::try_from(number).unwrap()),
        Kind::Uint32 => Value::U32(number),
        Kind::Bool => Value::Bool(true),
        Kind::String => Value::String(field.name().to_owned()),
        Kind::Bytes => Value::Bytes(field.name().to_owned().into_bytes().into()),
        Kind::Enum(choices) => Value::EnumNumber(choices.values().last().unwrap().number()),
        Kind::Message(inner) if inner.full_name() == "google.protobuf.Timestamp" => timestamp(&inner, number),
        Kind::Message(inner) => Value::Message(full(&inner, path)),
        other => panic!("the contract has no {other:?}"),
    }
}

fn timestamp(descriptor: &MessageDescriptor, number: u32) -> Value {
    let mut filled = DynamicMessage::new(descriptor.clone());
    filled.set_field_by_name("seconds", Value::I64(1_762_805_100 + i64::from(number)));
    filled.set_field_by_name("nanos", Value::I32(120_000_000));
    Value::Message(filled)
}

/// Every way through the choices of a message, as the fields chosen: `order`, `repayment.statement_issued`, …
pub fn kinds(descriptor: &MessageDescriptor) -> Vec<Vec<FieldDescriptor>> {
    let choices = descriptor.oneofs().filter(|choice| choice.fields().len() > 1);
    let fields: Vec<FieldDescriptor> = choices.flat_map(|choice| choice.fields().collect::<Vec<_>>()).collect();
    fields.into_iter().flat_map(|field| below(&field)).collect()
}

fn below(field: &FieldDescriptor) -> Vec<Vec<FieldDescriptor>> {
    let inner = match field.kind() {
        Kind::Message(inner) => kinds(&inner),
        _ => Vec::new(),
    };
    let with_field = |mut path: Vec<FieldDescriptor>| {
        path.insert(0, field.clone());
        path
    };
    if inner.is_empty() { vec![vec![field.clone()]] } else { inner.into_iter().map(with_field).collect() }
}
