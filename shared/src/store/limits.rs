//! The token buckets of tenants. See [`crate::model::limit`] for the algorithm.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use aws_sdk_dynamodb::Config;
use aws_sdk_dynamodb::config::interceptors::InterceptorContext;
use aws_sdk_dynamodb::config::retry::{ClassifyRetry, RetryAction};
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{ReturnValue, ReturnValuesOnConditionCheckFailure};

use super::TenantTable;
use super::expression::Expression;
use super::item::{self, ItemKind};
use super::transaction::unavailable_or_internal;
use crate::error::Error;
use crate::model::limit::{Level, Quota, RateLimit, RouteClass};
use crate::model::value::TenantId;

/// Time for which an unused bucket is stored: a day, in seconds. A bucket that was deleted counts
/// as full, so its `ttl` must be later than the time at which it is full.
const KEPT_SECONDS: i64 = 24 * 3_600;
/// Largest number of updates for one token. The first one fails if the remembered state is
/// outdated. Each further one fails only if the level of the bucket changes in between.
const ATTEMPTS: u32 = 5;

/// Largest number of buckets whose state is remembered. At this number all are forgotten, which
/// costs each of them at most one more update.
const MAX_REMEMBERED: usize = 1_000;

/// The buckets as this process last saw them: the time at which each is full again, in microseconds
/// since 1970. They show which update of a bucket will probably succeed, and which buckets are
/// still empty, because other processes with the same limit only make this time later.
#[derive(Debug, Default)]
pub(super) struct Buckets(Mutex<HashMap<(TenantId, RouteClass), i64>>);

impl Buckets {
    fn full_at(&self, tenant: &TenantId, class: RouteClass) -> i64 {
        let buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        buckets.get(&(tenant.clone(), class)).copied().unwrap_or_default()
    }

    fn remember(&self, tenant: &TenantId, class: RouteClass, full_at: i64) {
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MAX_REMEMBERED {
            buckets.clear();
        }
        buckets.insert((tenant.clone(), class), full_at);
    }
}

/// The result of an update. The times are those at which the bucket is full again, in microseconds
/// since 1970. A time is 0 if the bucket does not exist, because a new bucket is full.
enum Update {
    Taken(i64),
    /// The bucket does not have the level that the update is for.
    OtherLevel(i64),
    Throttled,
}

/// Keeps the SDK from retrying an update that is throttled. The retries would add load to an
/// overloaded item, take longer than a request waits for a token, and use up the retries of other
/// calls.
#[derive(Debug)]
struct NoRetryIfThrottled;

impl ClassifyRetry for NoRetryIfThrottled {
    fn name(&self) -> &'static str {
        "NoRetryIfThrottled"
    }

    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let error = context.output_or_error().and_then(Result::err);
        let error = error.and_then(|error| error.as_operation_error());
        match error.and_then(|error| error.downcast_ref::<UpdateItemError>()) {
            Some(error) if is_throttled(error) => RetryAction::RetryForbidden,
            _ => RetryAction::NoActionIndicated,
        }
    }
}

fn is_throttled(error: &UpdateItemError) -> bool {
    let codes = ["ThrottlingException", "ProvisionedThroughputExceededException"];
    error.code().is_some_and(|code| codes.contains(&code))
}

impl TenantTable<'_> {
    /// Takes a token from the tenant's bucket of a class of routes, and returns the state of the
    /// bucket. If the bucket had no token, the state has a `retry_after`. If this process has seen
    /// that the bucket is still empty, the table is not called.
    ///
    /// An update expression cannot compute the larger of two times. Each level of the bucket
    /// therefore needs a different update, with a condition. The first one that is tried usually
    /// succeeds. DynamoDB applies the updates of concurrent requests one after another.
    ///
    /// A bucket that DynamoDB throttles counts as empty, because its tenant sends more requests than
    /// one item can serve.
    ///
    /// # Errors
    /// `StoreUnavailable`, `InternalError`.
    pub async fn take_token(&self, class: RouteClass, limit: RateLimit) -> Result<Quota, Error> {
        let now = self.table.clock.now().millis() * 1_000;
        let (tenant, buckets) = (self.scope.tenant(), &self.table.buckets);
        let mut full_at = buckets.full_at(tenant, class);
        for _ in 0..ATTEMPTS {
            let level = limit.level(full_at, now);
            if level == Level::Empty {
                buckets.remember(tenant, class, full_at);
                return Ok(limit.quota(full_at, now, true));
            }
            match self.update_bucket(class, limit, now, level).await? {
                Update::Taken(full_at) => {
                    buckets.remember(tenant, class, full_at);
                    return Ok(limit.quota(full_at, now, false));
                }
                Update::OtherLevel(stored) => full_at = stored,
                Update::Throttled => {
                    return Ok(limit.quota(limit.empty_full_at(now), now, true));
                }
            }
        }
        Err(Error::store_unavailable("a token bucket kept changing"))
    }

    /// Takes a token if the bucket has this level, which must not be [`Level::Empty`].
    async fn update_bucket(
        &self,
        class: RouteClass,
        limit: RateLimit,
        now: i64,
        level: Level,
    ) -> Result<Update, Error> {
        let mut e = Expression::default();
        let (full_at, ttl, kind) = (e.name("full_at"), e.name("ttl"), e.name("type"));
        let (value, condition) = match level {
            Level::Full => {
                let (interval, now) = (e.number(limit.interval()), e.number(now));
                let condition = format!("attribute_not_exists({full_at}) OR {full_at} <= {now}");
                (format!("{now} + {interval}"), condition)
            }
            Level::Filling | Level::Empty => {
                let (interval, max) =
                    (e.number(limit.interval()), e.number(limit.max_full_at(now)));
                let condition = format!("{full_at} > {} AND {full_at} <= {max}", e.number(now));
                (format!("{full_at} + {interval}"), condition)
            }
            Level::Outdated => {
                let latest = e.number(limit.outdated_after(now));
                (e.number(limit.empty_full_at(now)), format!("{full_at} > {latest}"))
            }
        };
        let (kind_value, ttl_value) = (
            e.value(ItemKind::Limit.attribute()),
            e.number(limit.max_full_at(now) / 1_000_000 + KEPT_SECONDS),
        );
        let update = format!("SET {full_at} = {value}, {kind} = {kind_value}, {ttl} = {ttl_value}");
        let (names, values) = e.into_parts();
        let request = self
            .table
            .client
            .update_item()
            .table_name(&self.table.name)
            .set_key(Some(self.keys.limit(class).attributes()))
            .update_expression(update)
            .condition_expression(condition)
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(values)
            .return_values(ReturnValue::UpdatedNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let read = |item: Option<&item::Item>| match item {
            Some(item) => item::number(item, "full_at"),
            None => Ok(0),
        };
        let config = Config::builder().retry_classifier(NoRetryIfThrottled);
        match request.customize().config_override(config).send().await {
            Ok(output) => Ok(Update::Taken(read(output.attributes())?)),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(refused)) => {
                    Ok(Update::OtherLevel(read(refused.item())?))
                }
                Some(error) if is_throttled(error) => Ok(Update::Throttled),
                _ => Err(unavailable_or_internal("UpdateItem", &error)),
            },
        }
    }
}
