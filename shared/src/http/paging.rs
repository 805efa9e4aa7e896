//! What every list takes: how many rows, from where, in which order.

use super::Input;
use crate::model::value::one_of;
use crate::model::value::whole_number;

pub const MAX_LIMIT: usize = 100;
pub const DEFAULT_LIMIT: usize = 20;

/// Of creation; with a search, of name.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    strum::EnumString,
    strum::IntoStaticStr,
    strum::VariantNames,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case", const_into_str)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Order {
    #[serde(rename = "desc")]
    #[strum(serialize = "desc")]
    Descending,
    #[serde(rename = "asc")]
    #[strum(serialize = "asc")]
    Ascending,
}

pub struct Paging {
    pub order: Order,
    /// 1 to [`MAX_LIMIT`].
    pub limit: usize,
    pub cursor: Option<String>,
}

impl Paging {
    pub fn read(input: &mut Input<'_>) -> Paging {
        let order = input.query("order", one_of::<Order>).unwrap_or(Order::Descending);
        let limit = input.query("limit", |text| whole_number(text, 1..=MAX_LIMIT));
        let cursor = input.query("cursor", |text| Ok(text.to_owned()));
        Paging { order, limit: limit.unwrap_or(DEFAULT_LIMIT), cursor }
    }
}
