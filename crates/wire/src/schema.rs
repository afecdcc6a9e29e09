//! JSON Schemas of the contract's messages under protobuf's JSON mapping, with the contract's comments.

use std::collections::BTreeMap;

use prost_reflect::{
    Cardinality, DescriptorPool, EnumDescriptor, FieldDescriptor, FileDescriptor, Kind, MessageDescriptor,
};
use serde_json::{Map, Value, json};

use crate::proto::FILE_DESCRIPTOR_SET;

const PACKAGE: &str = "headroom.v1.";
const TIMESTAMP: &str = "google.protobuf.Timestamp";

/// JSON Schemas (2020-12) by name, for example `Event` and `OrderEvent.Kind`: everything that events and outputs are
/// made of. References are to `#/components/schemas/…`, as in an `OpenAPI` document.
///
/// What events are made of takes no unknown field, and takes integers of 64 bits as numbers too. What outputs are made
/// of may gain fields.
pub fn json_schemas() -> BTreeMap<String, Value> {
    let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET).expect("the build has made a descriptor set");
    let mut events = Reached::from(&pool, "Event");
    let outputs = Reached::from(&pool, "Output");
    let mut schemas = BTreeMap::new();
    for message in outputs.messages.values().filter(|each| !events.messages.contains_key(each.full_name())) {
        schemas.insert(name(message.full_name()), Reads::Outputs.message(message));
    }
    for message in events.messages.values() {
        schemas.insert(name(message.full_name()), Reads::Events.message(message));
    }
    events.enums.extend(outputs.enums);
    schemas.extend(events.enums.values().map(|each| (name(each.full_name()), enumeration(each))));
    schemas
}

/// Messages and enumerations within reach of one message, by full name.
#[derive(Default)]
struct Reached {
    messages: BTreeMap<String, MessageDescriptor>,
    enums: BTreeMap<String, EnumDescriptor>,
}

impl Reached {
    fn from(pool: &DescriptorPool, root: &str) -> Self {
        let mut reached = Self::default();
        let root = pool.get_message_by_name(&format!("{PACKAGE}{root}"));
        reached.message(root.expect("the contract has this message"));
        reached
    }

    fn message(&mut self, message: MessageDescriptor) {
        if message.full_name() == TIMESTAMP || self.messages.contains_key(message.full_name()) {
            return;
        }
        let fields: Vec<FieldDescriptor> = message.fields().collect();
        if !message.is_map_entry() {
            self.messages.insert(message.full_name().to_owned(), message);
        }
        for field in fields {
            match field.kind() {
                Kind::Message(inner) => self.message(inner),
                Kind::Enum(inner) => drop(self.enums.insert(inner.full_name().to_owned(), inner)),
                _ => {}
            }
        }
    }
}

/// On which side a message stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reads {
    /// We read it: strict about fields, lenient about the form of integers.
    Events,
    /// Others read it.
    Outputs,
}

impl Reads {
    fn message(self, message: &MessageDescriptor) -> Value {
        let properties: Map<String, Value> =
            message.fields().map(|field| (field.name().to_owned(), self.field(&field))).collect();
        let mut schema = described(&message.parent_file(), message.path());
        schema.insert("type".to_owned(), "object".into());
        schema.insert("properties".to_owned(), properties.into());
        if self == Self::Events {
            schema.insert("additionalProperties".to_owned(), false.into());
        }
        let choices: Vec<Value> = choices(message);
        if !choices.is_empty() {
            schema.insert("allOf".to_owned(), choices.into());
        }
        schema.into()
    }

    fn field(self, field: &FieldDescriptor) -> Value {
        let mut schema = described(&field.parent_message().parent_file(), field.path());
        schema.extend(self.shape(field));
        schema.into()
    }

    fn shape(self, field: &FieldDescriptor) -> Map<String, Value> {
        if field.is_map() {
            let Kind::Message(entry) = field.kind() else { unreachable!("a map's entries are messages") };
            let value = self.kind(&entry.map_entry_value_field().kind());
            return fields(json!({"type": "object", "additionalProperties": value}));
        }
        let one = self.kind(&field.kind());
        match field.cardinality() {
            Cardinality::Repeated => fields(json!({"type": "array", "items": one})),
            Cardinality::Optional | Cardinality::Required => one,
        }
    }

    fn kind(self, kind: &Kind) -> Map<String, Value> {
        let long = |format: &str, pattern: &str| match self {
            Self::Events => json!({"type": ["string", "integer"], "format": format, "pattern": pattern}),
            Self::Outputs => json!({"type": "string", "format": format, "pattern": pattern}),
        };
        fields(match kind {
            Kind::Bool => json!({"type": "boolean"}),
            Kind::String => json!({"type": "string"}),
            Kind::Bytes => json!({"type": "string", "contentEncoding": "base64"}),
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => json!({"type": "integer", "format": "int32"}),
            Kind::Uint32 | Kind::Fixed32 => json!({"type": "integer", "format": "int64", "minimum": 0}),
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => long("int64", "^-?[0-9]+$"),
            Kind::Uint64 | Kind::Fixed64 => long("uint64", "^[0-9]+$"),
            Kind::Float | Kind::Double => json!({"type": "number"}),
            Kind::Enum(inner) => reference(inner.full_name()),
            Kind::Message(inner) if inner.full_name() == TIMESTAMP => json!({"type": "string", "format": "date-time"}),
            Kind::Message(inner) => reference(inner.full_name()),
        })
    }
}

/// A oneof: at most one of its fields. `optional` fields are oneofs to protobuf alone.
fn choices(message: &MessageDescriptor) -> Vec<Value> {
    let oneofs = message.oneofs().filter(|oneof| !oneof.is_synthetic());
    oneofs
        .map(|oneof| {
            let each: Vec<Value> = oneof.fields().map(|field| json!({"required": [field.name()]})).collect();
            let names: Vec<String> = oneof.fields().map(|field| format!("`{}`", field.name())).collect();
            let none = json!({"not": {"anyOf": each}});
            let all: Vec<Value> = each.iter().cloned().chain([none]).collect();
            json!({"description": format!("at most one of {}", names.join(", ")), "oneOf": all})
        })
        .collect()
}

fn enumeration(of: &EnumDescriptor) -> Value {
    let file = of.parent_file();
    let mut schema = described(&file, of.path());
    let words: Vec<Value> = of.values().map(|value| value.name().into()).collect();
    let told = of.values().filter_map(|value| Some(format!("`{}`: {}", value.name(), comment(&file, value.path())?)));
    let told: Vec<String> =
        schema.get("description").and_then(Value::as_str).map(str::to_owned).into_iter().chain(told).collect();
    if !told.is_empty() {
        schema.insert("description".to_owned(), told.join("\n").into());
    }
    schema.insert("type".to_owned(), "string".into());
    schema.insert("enum".to_owned(), words.into());
    schema.into()
}

fn reference(full_name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{}", name(full_name))})
}

fn name(full_name: &str) -> String {
    full_name.strip_prefix(PACKAGE).unwrap_or(full_name).to_owned()
}

/// A schema that so far says only what the contract's comment says.
fn described(file: &FileDescriptor, path: &[i32]) -> Map<String, Value> {
    comment(file, path).map(|text| ("description".to_owned(), text.into())).into_iter().collect()
}

fn comment(file: &FileDescriptor, path: &[i32]) -> Option<String> {
    let info = file.file_descriptor_proto().source_code_info.as_ref()?;
    let place = info.location.iter().find(|each| each.path == path)?;
    let lines = place.leading_comments.as_ref()?.lines().map(str::trim);
    Some(lines.collect::<Vec<_>>().join(" ").trim().to_owned()).filter(|text| !text.is_empty())
}

fn fields(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => unreachable!("a schema is an object"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_reference_has_its_schema() {
        let schemas = json_schemas();
        let text = serde_json::to_string(&schemas).unwrap();
        let wanted: BTreeSet<&str> =
            text.split("#/components/schemas/").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        let missing: Vec<&&str> = wanted.iter().filter(|each| !schemas.contains_key(**each)).collect();
        assert!(missing.is_empty(), "{missing:?}");
        assert!(wanted.len() > 30, "{}", wanted.len());
    }

    #[test]
    fn events_are_strict_and_outputs_may_grow() {
        let schemas = json_schemas();
        assert_eq!(schemas["OrderEvent"]["additionalProperties"], false);
        assert_eq!(schemas["LimitChange"].get("additionalProperties"), None);
        assert_eq!(schemas["OrderEvent"]["properties"]["amount"]["type"], json!(["string", "integer"]));
        assert_eq!(schemas["LimitStack"]["properties"]["base"]["type"], "string");
        assert!(!schemas.keys().any(|name| name.starts_with("Stored")));
    }

    #[test]
    fn the_json_mapping_is_kept() {
        let schemas = json_schemas();
        let event = &schemas["Event"];
        assert_eq!(event["properties"]["occurred_at"]["format"], "date-time");
        assert_eq!(event["properties"]["order"]["$ref"], "#/components/schemas/OrderEvent");
        assert_eq!(event["allOf"][0]["oneOf"].as_array().unwrap().len(), 8, "seven bodies, or none");
        assert_eq!(schemas["DeadLetter"]["properties"]["original"]["contentEncoding"], "base64");
        assert_eq!(schemas["DeadLetter"]["properties"]["headers"]["additionalProperties"]["type"], "string");
        assert_eq!(schemas["OrderEvent"].get("allOf"), None, "an optional field is no choice");
        let kind = schemas["OrderEvent.Kind"]["description"].as_str().unwrap();
        assert!(kind.contains("`KIND_DECLINED_FOR_LIMIT`: The order system refused"), "{kind}");
    }
}
