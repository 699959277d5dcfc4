//! How much of a worker a queue, and a workspace, may have.
//!
//! Each may have twice as many of the slots as are free: one that is alone gets two thirds of them, two get two fifths each,
//! and however many there are, some are left for whoever comes next ("dynamic thresholds", as in switches that share a memory).
//! So a vendor that takes half a minute for each answer fills its own share and keeps nobody else waiting.

use super::claiming::MOST_LEFT_OUT;
use crate::id::WorkspaceId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use uuid::Uuid;

/// So many times what is free.
const TIMES_FREE: usize = 2;

/// Who has how many slots.
#[derive(Debug)]
pub(super) struct Shares {
    slots: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    queues: HashMap<String, usize>,
    workspaces: HashMap<WorkspaceId, usize>,
}

impl Shares {
    pub(super) fn new(slots: usize) -> Arc<Self> {
        Arc::new(Self { slots, taken: Mutex::default() })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many slots are in use.
    pub(super) fn in_use(&self) -> usize {
        self.taken().all
    }

    /// How many slots are free.
    pub(super) fn free(&self) -> usize {
        self.slots - self.in_use()
    }

    /// How many more slots a queue may have. An idle worker leaves one to each.
    pub(super) fn left_of(&self, queue: &str) -> usize {
        let taken = self.taken();
        let has = taken.queues.get(queue).copied().unwrap_or(0);
        // Each slot that it takes is also one less that is free.
        let (free, share) = (self.slots - taken.all, TIMES_FREE * (self.slots - taken.all + has) / (TIMES_FREE + 1));
        share.max(1).saturating_sub(has).min(free)
    }

    /// The workspaces that have most beyond their share.
    pub(super) fn beyond(&self) -> [WorkspaceId; MOST_LEFT_OUT] {
        let taken = self.taken();
        let share = (TIMES_FREE * (self.slots - taken.all)).max(1);
        let mut beyond: Vec<(usize, WorkspaceId)> = Vec::new();
        beyond.extend(taken.workspaces.iter().filter(|(_, has)| **has > share).map(|(id, has)| (*has, *id)));
        beyond.sort_unstable_by_key(|(has, _)| std::cmp::Reverse(*has));
        let mut most = [WorkspaceId(Uuid::nil()); MOST_LEFT_OUT];
        most.iter_mut().zip(beyond).for_each(|(place, (_, id))| *place = id);
        most
    }

    /// Takes a slot, until what it gives is dropped.
    pub(super) fn take(self: &Arc<Self>, queue: &str, workspace: Option<WorkspaceId>) -> Slot {
        let mut taken = self.taken();
        taken.all += 1;
        *taken.queues.entry(queue.to_owned()).or_default() += 1;
        if let Some(workspace) = workspace {
            *taken.workspaces.entry(workspace).or_default() += 1;
        }
        drop(taken);
        Slot { shares: self.clone(), queue: queue.to_owned(), workspace }
    }
}

/// A slot in use.
#[derive(Debug)]
pub(super) struct Slot {
    shares: Arc<Shares>,
    queue: String,
    workspace: Option<WorkspaceId>,
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut taken = self.shares.taken();
        taken.all -= 1;
        give_back(&mut taken.queues, &self.queue);
        if let Some(workspace) = &self.workspace {
            give_back(&mut taken.workspaces, workspace);
        }
    }
}

fn give_back<K: std::hash::Hash + Eq>(shares: &mut HashMap<K, usize>, key: &K) {
    if let Some(has) = shares.get_mut(key) {
        *has -= 1;
        if *has == 0 {
            shares.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Shares;
    use crate::id::WorkspaceId;
    use uuid::Uuid;

    #[test]
    fn one_that_is_alone_gets_two_thirds_and_leaves_room_for_others() {
        let shares = Shares::new(60);
        let mut slots = Vec::new();
        while shares.left_of("slow") > 0 {
            slots.push(shares.take("slow", None));
        }
        assert_eq!(slots.len(), 40);
        let mut others = Vec::new();
        while shares.left_of("other") > 0 {
            others.push(shares.take("other", None));
        }
        assert_eq!(others.len(), 13, "two thirds of what the first left");
        assert_eq!(shares.left_of("third"), 4, "and of what both left");
        slots.clear();
        assert_eq!(shares.left_of("other"), 40 - 13, "what is given back counts again");
    }

    #[test]
    fn a_single_slot_is_for_whoever_comes() {
        let shares = Shares::new(1);
        assert_eq!(shares.left_of("one"), 1);
        let slot = shares.take("one", None);
        assert_eq!((shares.left_of("one"), shares.left_of("two"), shares.free()), (0, 0, 0));
        drop(slot);
        assert_eq!(shares.left_of("two"), 1);
    }

    #[test]
    fn who_has_most_beyond_his_share_is_left_out_first() {
        let shares = Shares::new(10);
        let [many, some, one] = [1, 2, 3].map(|n| WorkspaceId(Uuid::from_u128(n)));
        let takes = [many; 5].into_iter().chain([some; 3]).chain([one]);
        let _slots: Vec<_> = takes.map(|workspace| shares.take("x", Some(workspace))).collect();
        assert_eq!(shares.beyond(), [many, some, WorkspaceId(Uuid::nil())]);
    }
}
