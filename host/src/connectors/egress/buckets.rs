//! The buckets of one connector that are empty, and until when. It knows whom the vendor counts by ids, and neither runs nor
//! requests.
//!
//! What vendors mean by `Retry-After` they do not say: some count by user, some by app. So it holds for the account that drew
//! it, and for the app once a second account draws it while the first still waits.

use super::said::Said;
use crate::clock::Timestamp;
use crate::id::{AppId, ConnectionId};
use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

/// Accounts that are remembered, and apps.
const MOST: usize = 4_096;
/// Places of an account that are remembered.
const MOST_PLACES: usize = 64;

/// Whose use a vendor counts, but for the app's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Account {
    /// Of an app, or without one.
    Connection(ConnectionId),
    /// The operator's own key.
    Operator,
}

/// Whom a vendor counts when a request arrives.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counted {
    /// `None` while an account is being connected: nobody knows yet whose it is.
    pub(super) account: Option<Account>,
    /// A hash of endpoint, method and path.
    pub(super) place: u64,
}

/// What is empty.
#[derive(Debug, Default)]
pub(super) struct Buckets {
    accounts: HashMap<Account, Timestamp>,
    places: HashMap<Account, HashMap<u64, Timestamp>>,
    apps: HashMap<AppId, Timestamp>,
    /// When the last of the apps' buckets is full again, so that nobody need find out by which app he acts before.
    apps_until: Option<Timestamp>,
    /// The account of an app that was asked to wait, and until when.
    waiting: HashMap<AppId, (Account, Timestamp)>,
}

impl Buckets {
    /// Whether an app may have to wait.
    pub(super) fn is_any_app_empty(&self, now: Timestamp) -> bool {
        self.apps_until.is_some_and(|until| until > now)
    }

    /// When the app's bucket is full again; `None` where it is.
    pub(super) fn app_full_again(&self, app: AppId, now: Timestamp) -> Option<Timestamp> {
        self.apps.get(&app).copied().filter(|until| *until > now)
    }

    /// When both buckets of an account are full again, in all and at its place; `None` where they are.
    pub(super) fn full_again(&self, counted: Counted, now: Timestamp) -> Option<Timestamp> {
        let account = counted.account?;
        let place = self.places.get(&account).and_then(|places| places.get(&counted.place));
        [self.accounts.get(&account), place].into_iter().flatten().copied().filter(|until| *until > now).max()
    }

    /// Remembers what an answer says. Of what the vendor asks an account that nobody knows, nothing is kept.
    pub(super) fn learn(&mut self, counted: Counted, app: Option<AppId>, said: &Said, now: Timestamp) {
        let until = |wait: Option<Duration>| wait.map(|wait| now.after(wait));
        if let Some(account) = counted.account {
            // Where there is no app, the account is all that the vendor can count.
            let by_app = if app.is_none() { said.app } else { None };
            if let Some(until) = until(said.asked.max(said.account).max(by_app)) {
                empty(&mut self.accounts, account, until, now, MOST);
            }
            if let Some(until) = until(said.place) {
                self.empty_place(account, counted.place, until, now);
            }
        }
        let Some(app) = app else { return };
        let both = until(said.asked).filter(|until| self.is_second(app, counted.account, *until, now));
        if let Some(until) = both.max(until(said.app)) {
            empty(&mut self.apps, app, until, now, MOST);
            self.apps_until = self.apps_until.max(Some(until));
        }
    }

    /// Whether another account of the app waits already, as this one has to from now on.
    fn is_second(&mut self, app: AppId, account: Option<Account>, until: Timestamp, now: Timestamp) -> bool {
        let Some(account) = account else { return false };
        match self.waiting.get_mut(&app) {
            Some((first, waits)) if *waits > now && *first != account => {
                // Whoever waits longest is the one that the next is held against.
                if until > *waits {
                    (*first, *waits) = (account, until);
                }
                true
            }
            Some(waiting) => {
                *waiting = (account, until);
                false
            }
            None => {
                make_room(&mut self.waiting, now, MOST, |(_, until)| *until);
                self.waiting.insert(app, (account, until));
                false
            }
        }
    }

    fn empty_place(&mut self, account: Account, place: u64, until: Timestamp, now: Timestamp) {
        if !self.places.contains_key(&account) {
            let last = |places: &HashMap<u64, Timestamp>| places.values().max().copied().unwrap_or(now);
            make_room(&mut self.places, now, MOST, last);
        }
        empty(self.places.entry(account).or_default(), place, until, now, MOST_PLACES);
    }
}

/// Empties a bucket, until the later of then and what is known.
fn empty<K: Hash + Eq + Copy>(
    buckets: &mut HashMap<K, Timestamp>,
    bucket: K,
    until: Timestamp,
    now: Timestamp,
    most: usize,
) {
    if let Some(known) = buckets.get_mut(&bucket) {
        *known = until.max(*known);
        return;
    }
    make_room(buckets, now, most, |until| *until);
    buckets.insert(bucket, until);
}

/// Forgets those that are full again where there are as many as there may be, and then the one that is full first.
fn make_room<K: Hash + Eq + Copy, V>(
    buckets: &mut HashMap<K, V>,
    now: Timestamp,
    most: usize,
    until: impl Fn(&V) -> Timestamp,
) {
    if buckets.len() < most {
        return;
    }
    buckets.retain(|_, bucket| until(bucket) > now);
    if buckets.len() >= most
        && let Some(first) = buckets.iter().min_by_key(|(_, bucket)| until(bucket)).map(|(bucket, _)| *bucket)
    {
        buckets.remove(&first);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_767_225_600_000_000);

    fn at(seconds: u64) -> Timestamp {
        NOW.after(Duration::from_secs(seconds))
    }

    fn counted(account: Account, place: u64) -> Counted {
        Counted { account: Some(account), place }
    }

    fn someone() -> Account {
        Account::Connection(ConnectionId::new())
    }

    fn asked(seconds: u64) -> Said {
        Said { asked: Some(Duration::from_secs(seconds)), ..Said::default() }
    }

    #[test]
    fn who_is_asked_to_wait_waits_alone_until_a_second_is_asked() {
        let mut buckets = Buckets::default();
        let (app, other) = (AppId::new(), AppId::new());
        let [ada, bea, cleo, dan] = [someone(), someone(), someone(), someone()];
        buckets.learn(counted(ada, 1), Some(app), &asked(600), NOW);
        assert_eq!(buckets.full_again(counted(ada, 2), NOW), Some(at(600)));
        assert_eq!(buckets.full_again(counted(bea, 1), NOW), None);
        // The same once more, one of another app, and one that nobody knows yet make no second.
        buckets.learn(counted(ada, 1), Some(app), &asked(600), at(1));
        buckets.learn(counted(dan, 1), Some(other), &asked(600), at(1));
        buckets.learn(Counted { account: None, place: 1 }, Some(app), &asked(600), at(1));
        assert!(!buckets.is_any_app_empty(at(1)));
        buckets.learn(counted(bea, 1), Some(app), &asked(60), at(2));
        assert_eq!(buckets.app_full_again(app, at(2)), Some(at(62)), "for as long as the second was asked");
        assert_eq!((buckets.app_full_again(other, at(2)), buckets.full_again(counted(cleo, 1), at(2))), (None, None));
        assert!(!buckets.is_any_app_empty(at(62)));
        // The first's time is over, so a third says nothing of the app.
        buckets.learn(counted(cleo, 1), Some(app), &asked(60), at(700));
        assert!(!buckets.is_any_app_empty(at(700)));
        assert_eq!(buckets.full_again(counted(cleo, 1), at(700)), Some(at(760)));
    }

    #[test]
    fn what_is_said_of_the_app_holds_for_it_at_once() {
        let mut buckets = Buckets::default();
        let app = AppId::new();
        let said = Said { app: Some(Duration::from_secs(300)), ..Said::default() };
        buckets.learn(counted(someone(), 1), Some(app), &said, NOW);
        assert_eq!(buckets.app_full_again(app, NOW), Some(at(300)));
        // Without an app there is only the account.
        let alone = someone();
        buckets.learn(counted(alone, 1), None, &said, NOW);
        assert_eq!(buckets.full_again(counted(alone, 9), NOW), Some(at(300)));
    }

    #[test]
    fn so_many_are_remembered_and_no_more() {
        let mut buckets = Buckets::default();
        let place = |seconds| Said { place: Some(Duration::from_secs(seconds)), ..Said::default() };
        let busy = someone();
        for n in 0..10_000 {
            buckets.learn(counted(busy, n), None, &place(1_000 + n), NOW);
        }
        assert_eq!(buckets.places[&busy].len(), MOST_PLACES);
        // Those that last longest stay.
        assert_eq!(buckets.full_again(counted(busy, 9_999), NOW), Some(at(10_999)));
        let first = someone();
        buckets.learn(counted(first, 1), Some(AppId::new()), &asked(100_000), NOW);
        for n in 0..2 * MOST {
            let seconds = 10 + n as u64;
            buckets.learn(counted(someone(), 1), Some(AppId::new()), &asked(seconds), NOW);
            buckets.learn(counted(someone(), 1), None, &place(seconds), NOW);
            let app = Said { app: Some(Duration::from_secs(seconds)), ..Said::default() };
            buckets.learn(counted(first, 1), Some(AppId::new()), &app, NOW);
        }
        let sizes = [buckets.accounts.len(), buckets.places.len(), buckets.apps.len(), buckets.waiting.len()];
        assert_eq!(sizes, [MOST; 4]);
        assert_eq!(buckets.full_again(counted(first, 1), NOW), Some(at(100_000)));
        // What is full again makes room for all that comes.
        buckets.learn(counted(someone(), 1), None, &asked(10), at(200_000));
        assert_eq!(buckets.accounts.len(), 1);
    }
}
