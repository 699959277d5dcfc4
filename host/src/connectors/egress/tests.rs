//! What hostile servers, names and URLs achieve: nothing. No test here leaves the machine: names are looked up in a table,
//! and what passes the checks goes to a proxy of the test's own.

mod hostile;
mod packed;
mod proxied;
mod slow;
mod stage;
mod urls;
