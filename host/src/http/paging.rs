//! Lists a page at a time, newest first, by the id of the last item of the page before.

use crate::error::{Error, Result};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

/// Which page of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Page {
    /// The `next_cursor` of the page before; the first page where absent.
    pub(super) cursor: Option<Uuid>,
    /// The most items to show, 1 to 100.
    #[serde(default = "default_limit")]
    #[param(default = default_limit, minimum = 1, maximum = 100)]
    limit: u32,
}

fn default_limit() -> u32 {
    50
}

impl Page {
    /// The page that a query names which has more to say.
    pub(super) fn of(cursor: Option<Uuid>, limit: Option<u32>) -> Self {
        Self { cursor, limit: limit.unwrap_or_else(default_limit) }
    }

    /// How many items to read: one more than are shown, which tells whether there is a next page.
    ///
    /// # Errors
    /// The limit is out of bounds.
    pub(super) fn to_read(&self) -> Result<i64> {
        if (1..=100).contains(&self.limit) {
            Ok(i64::from(self.limit) + 1)
        } else {
            Err(Error::invalid("limit", "A page has 1 to 100 items."))
        }
    }

    /// Leaves what is shown of what was read, and gives the last of it where there is a next page.
    pub(super) fn cut<'a, T>(&self, read: &'a mut Vec<T>) -> Option<&'a T> {
        let is_last = read.len() <= self.limit as usize;
        read.truncate(self.limit as usize);
        read.last().filter(|_| !is_last)
    }
}

#[cfg(test)]
mod tests {
    use super::Page;

    #[test]
    fn the_last_page_has_no_next() {
        let page = Page { cursor: None, limit: 2 };
        let (mut more, mut exact, mut none) = (vec![1, 2, 3], vec![1, 2], Vec::<i32>::new());
        assert_eq!((page.to_read().ok(), page.cut(&mut more).copied(), more), (Some(3), Some(2), vec![1, 2]));
        assert_eq!((page.cut(&mut exact), page.cut(&mut none)), (None, None));
    }

    #[test]
    fn a_page_has_bounds() {
        for limit in [0, 101] {
            assert!(Page { cursor: None, limit }.to_read().is_err());
        }
    }
}
