//! What a person sees while something takes its time: a spinner on a terminal, a line elsewhere.

use indicatif::ProgressBar;
use std::io::Write as _;
use std::time::Duration;

/// Waits for work, and says meanwhile what it is.
pub(super) async fn during<T>(what: &str, work: impl Future<Output = T>) -> T {
    let spinner = ProgressBar::new_spinner().with_message(what.to_owned());
    if spinner.is_hidden() {
        say(what);
    }
    spinner.enable_steady_tick(Duration::from_millis(100));
    let done = work.await;
    spinner.finish_and_clear();
    done
}

/// Says something on standard error: standard output is for results.
pub(super) fn say(line: &str) {
    // Who has closed it does not want to read it.
    let _ = writeln!(std::io::stderr(), "{line}");
}
