//! Types that stand in the `OpenAPI` document for messages of the contract. `headroom_wire::json_schemas` has their content.

use std::borrow::Cow;

use utoipa::openapi::schema::{ArrayBuilder, OneOfBuilder};
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// An `Event` of the contract.
pub struct EventBody;
/// One `Event`, or an array of them.
pub struct EventsBody;
/// An `Output` of the contract.
pub struct OutputBody;

impl PartialSchema for EventBody {
    fn schema() -> RefOr<Schema> {
        Ref::from_schema_name("Event").into()
    }
}

impl ToSchema for EventBody {
    fn name() -> Cow<'static, str> {
        "Event".into()
    }
}

impl PartialSchema for EventsBody {
    fn schema() -> RefOr<Schema> {
        let event = || Ref::from_schema_name("Event");
        let array = ArrayBuilder::new().items(event()).build();
        OneOfBuilder::new().item(event()).item(array).description(Some("one event, or an array of them")).into()
    }
}

impl ToSchema for EventsBody {
    fn name() -> Cow<'static, str> {
        "Events".into()
    }
}

impl PartialSchema for OutputBody {
    fn schema() -> RefOr<Schema> {
        Ref::from_schema_name("Output").into()
    }
}

impl ToSchema for OutputBody {
    fn name() -> Cow<'static, str> {
        "Output".into()
    }
}
