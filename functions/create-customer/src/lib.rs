//! POST /customers
//!
//! Creates a customer. Within a tenant, a `client_id` belongs to one customer until that customer
//! is erased. A second customer with the same `client_id` is refused, and the error names the
//! first.

#[cfg(feature = "openapi")]
mod openapi;

use shared::http::{JSON, Request, Response};
use shared::model::customer::{Customer, READ_ONLY};
use shared::model::fields::Fields;
use shared::model::id::CustomerId;
use shared::model::profile::Profile;
use shared::{App, Caller, Error, Permission};

shared::function!(handle);

pub const PERMISSION: Permission = Permission::Create;

pub async fn handle(app: &App, request: &Request) -> Result<Response, Error> {
    let caller = Caller::of(request)?.may(PERMISSION)?;
    let now = app.clock.now();
    let (key, profile) = request.input().read(|input| {
        let key = input.idempotency_key();
        let mut fields = Fields::new(input.object(JSON)?, input.faults_mut());
        let profile = Profile::read(&mut fields, now.date());
        fields.done(READ_ONLY);
        Some((key, profile?))
    })?;

    let table = app.table.tenant(&caller);
    let create = async |replay| {
        let customer_id = CustomerId::new(app.ids.next(now));
        let customer = Customer::new(customer_id, caller.tenant().clone(), profile.clone());
        let location = format!("/customers/{customer_id}");
        let response = Response::created(&customer, location)?.etag(customer.version);
        table.create_customer(&customer, replay, &response).await?;
        Ok(response)
    };
    table.once(FUNCTION.name, key, &profile, now, create).await
}
