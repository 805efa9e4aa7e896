//! Types for lists that are returned in pages.

use serde::{Deserialize, Serialize};

/// Maximum number of rows per page.
pub const MAX_LIMIT: usize = 100;
/// Number of rows per page when the caller gives no `limit`.
pub const DEFAULT_LIMIT: usize = 20;

/// Order of a list. Rows are sorted by time of creation or, with `search`, by name.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    strum::EnumString,
    strum::IntoStaticStr,
    strum::VariantNames,
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Order {
    /// Newest first, or names from Z to A.
    #[serde(rename = "desc")]
    #[strum(serialize = "desc")]
    Descending,
    /// Oldest first, or names from A to Z.
    #[serde(rename = "asc")]
    #[strum(serialize = "asc")]
    Ascending,
}

/// Page that a caller requests: the order, the size and the position.
#[derive(Clone, Debug)]
pub struct Paging {
    /// Order of the rows.
    pub order: Order,
    /// Rows per page, 1 to [`MAX_LIMIT`].
    pub limit: usize,
    /// Cursor of the previous page; `None` for the first page.
    pub cursor: Option<String>,
}

/// One page of a list.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Page<T> {
    /// Rows of this page.
    pub items: Vec<T>,
    /// Number of rows in this page.
    pub count: usize,
    /// Cursor for the next page; `null` on the last page.
    pub cursor: Option<String>,
    /// Whether there is a next page.
    pub has_more: bool,
}

impl<T> Page<T> {
    /// Makes the last page of a list, which has no cursor.
    pub fn last(items: Vec<T>) -> Page<T> {
        Page { count: items.len(), items, cursor: None, has_more: false }
    }

    /// Returns the page with every row replaced by the result of `row`. The cursor stays.
    pub fn map<U>(self, row: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(row).collect(),
            count: self.count,
            cursor: self.cursor,
            has_more: self.has_more,
        }
    }
}
