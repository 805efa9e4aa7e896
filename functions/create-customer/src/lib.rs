//! POST /customers
//!
//! Creates a customer. Within a tenant, a `client_id` belongs to one customer until that customer
//! is erased. A request with a `client_id` that is in use is refused, and the error contains the id
//! of the customer that has it.

#[cfg(feature = "openapi")]
mod openapi;

use shared::http::{JSON, Request, Response};
use shared::model::customer::{READ_ONLY, StoredCustomer};
use shared::model::fields::Fields;
use shared::model::id::CustomerId;
use shared::model::profile::Profile;
use shared::runtime::idempotency::once;
use shared::store::{Replay, StoredAnswer};
use shared::{App, Error, Permission, customers};

shared::function!(handle);

pub const PERMISSIONS: &[Permission] = &[Permission::Create];

pub async fn handle(app: &App, request: &Request) -> Result<Response, Error> {
    let caller = request.caller()?.may(PERMISSIONS)?;
    let now = app.clock.now();
    let (key, profile) = request.input().read(|input| {
        let key = input.idempotency_key();
        let mut fields = Fields::new(input.object(JSON)?, input.faults_mut());
        let profile = Profile::read(&mut fields, now.date());
        fields.done(READ_ONLY);
        Some((key, profile?))
    })?;

    let table = app.tenant(&caller);
    let create = async |replay: Option<Replay>| {
        let customer_id = CustomerId::new(app.ids.next(now));
        let customer = StoredCustomer::new(customer_id, caller.tenant().clone(), profile.clone());
        let location = format!("/customers/{customer_id}");
        let response = Response::created(&customer.customer, location)?.etag(customer.version);
        let answer = response.answer().clone();
        let answer = replay.map(|replay| StoredAnswer { replay, answer });
        customers::create(&table, customer, answer).await?;
        Ok(response)
    };
    once(&table, FUNCTION.name, key, &profile, now, create).await
}
