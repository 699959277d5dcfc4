//! The author's side, as an author meets it: the program alone, copied out of the checkout, in an empty folder.

#![expect(clippy::unwrap_used, reason = "a test ends at the first thing that it does not expect")]

mod beginning;
mod building;
mod desk;
