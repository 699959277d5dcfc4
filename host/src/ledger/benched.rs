//! The statements of the usual way, for a benchmark to make them without the ledger.

use super::{RECORD, SHIFT, grants, holds};

/// What reserves credits, in order: of the account, of its first grant, the hold, the row about it.
#[doc(hidden)]
pub const HOLD_FOR_BENCH: [&str; 4] = [SHIFT, grants::TAKE_FIRST, holds::INSERT, RECORD];
/// What ends a hold, in order: of the account, the hold, of its grant, the row about it.
#[doc(hidden)]
pub const SETTLE_FOR_BENCH: [&str; 4] = [holds::UNHOLD, holds::RESOLVE, grants::MOVE, RECORD];
