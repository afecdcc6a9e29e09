//! The `OpenAPI` document: routes from the handlers, messages from the contract.

use std::sync::LazyLock;

use serde_json::{Value, json};

use super::router::routes;

/// The description of the HTTP interface, `OpenAPI` 3.1; `docs/openapi.json` is a copy of it.
pub fn openapi() -> Value {
    static DOCUMENT: LazyLock<Value> = LazyLock::new(document);
    DOCUMENT.clone()
}

fn document() -> Value {
    let (_, document) = routes().split_for_parts();
    let mut document = serde_json::to_value(document).expect("a document has a JSON form");
    document["info"] = info();
    document["tags"] = tags();
    let schemas = document["components"]["schemas"].as_object_mut().expect("answers have schemas");
    schemas.extend(headroom_wire::json_schemas());
    document
}

fn info() -> Value {
    json!({
        "title": "Headroom",
        "version": env!("CARGO_PKG_VERSION"),
        "description": "Events in, limit changes with their reasons out. Messages are protobuf's JSON mapping of \
            headroom.v1: 64-bit integers as strings, enums as words, times in RFC 3339, bytes in base64. Every answer \
            that is no success has a code with a page in docs/errors.",
        "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    })
}

fn tags() -> Value {
    json!([
        {"name": "events", "description": "What upstream systems publish."},
        {"name": "outputs", "description": "What the credit ledger, service desks and reviewers read."},
        {"name": "accounts", "description": "One account: what is kept of it, why its limit is what it is."},
        {"name": "rules", "description": "What decides."},
        {"name": "operation", "description": "For whoever runs the service."},
    ])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use expect_test::expect_file;

    use super::*;

    #[test]
    fn the_copy_in_docs_is_current() {
        let mut text = serde_json::to_string_pretty(&openapi()).unwrap();
        text.push('\n');
        expect_file!["../../../../docs/openapi.json"].assert_eq(&text);
    }

    #[test]
    fn every_reference_has_its_schema_and_every_schema_a_reader() {
        let document = openapi();
        let text = document.to_string();
        let wanted = text.split("#/components/schemas/").skip(1).filter_map(|rest| rest.split('"').next());
        let wanted: BTreeSet<&str> = wanted.collect();
        let there: BTreeSet<&str> =
            document["components"]["schemas"].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(wanted, there);
    }

    #[test]
    fn every_operation_is_told_and_every_parameter_too() {
        let document = openapi();
        let items = document["paths"].as_object().unwrap().values();
        let operations: Vec<&Value> = items.flat_map(|item| item.as_object().unwrap().values()).collect();
        assert_eq!(operations.len(), 16);
        for operation in operations {
            let name = &operation["operationId"];
            assert!(operation["summary"].as_str().is_some_and(|text| !text.is_empty()), "{name}");
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let untold = parameters.filter(|each| each["description"].as_str().is_none_or(str::is_empty));
            assert_eq!(untold.count(), 0, "{name}");
        }
    }
}
