//! What every list takes: how many rows, from where, in which order.

use super::Input;
use crate::model::value::{whole_number, word};

pub const MAX_LIMIT: usize = 100;
pub const DEFAULT_LIMIT: usize = 20;

word! {
    /// Of creation; with a search, of name.
    Order { Descending = "desc", Ascending = "asc" }
}

pub struct Paging {
    pub order: Order,
    /// 1 to [`MAX_LIMIT`].
    pub limit: usize,
    pub cursor: Option<String>,
}

impl Paging {
    pub fn read(input: &mut Input<'_>) -> Paging {
        let order = input.query("order", Order::parse).unwrap_or(Order::Descending);
        let limit = input.query("limit", |text| whole_number(text, 1..=MAX_LIMIT));
        let cursor = input.query("cursor", |text| Ok(text.to_owned()));
        Paging { order, limit: limit.unwrap_or(DEFAULT_LIMIT), cursor }
    }
}
