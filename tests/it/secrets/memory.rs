//! Linear memories that this process can read: each is searched when it ends, just before its store is gone.

use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap_anonymous, mprotect, munmap};
use std::collections::{HashMap, HashSet};
use std::ptr;
use std::sync::{Arc, Mutex};
use wasmtime::{LinearMemory, MemoryCreator, MemoryType};

/// Bytes that are kept in one piece.
const PAGE: usize = 4_096;
/// How far a piece reaches into the next, so that nothing of that length is cut.
const OVERLAP: usize = 1_024;

/// Makes memories, and remembers which needles were found in them.
#[derive(Clone)]
pub(crate) struct Watched(Arc<Search>);

struct Search {
    needles: Vec<&'static str>,
    hits: Mutex<HashMap<&'static str, usize>>,
    /// What was in memories, each piece once; for needles that are known later.
    kept: Option<Mutex<HashSet<Vec<u8>>>>,
}

impl Watched {
    pub(crate) fn new(needles: impl IntoIterator<Item = &'static str>) -> Self {
        Self(Arc::new(Search { needles: needles.into_iter().collect(), hits: Mutex::default(), kept: None }))
    }

    /// Looks for nothing, and keeps all that there was.
    pub(crate) fn keeping() -> Self {
        Self(Arc::new(Search { needles: Vec::new(), hits: Mutex::default(), kept: Some(Mutex::default()) }))
    }

    /// All that was kept, with gaps of zeros between what does not belong together.
    pub(crate) fn kept(&self) -> Vec<u8> {
        let kept = self.0.kept.as_ref().unwrap().lock().unwrap();
        kept.iter().flat_map(|piece| piece.iter().copied().chain([0; 16])).collect()
    }

    /// How many memories held this needle.
    pub(crate) fn hits(&self, needle: &str) -> usize {
        self.0.hits.lock().unwrap().get(needle).copied().unwrap_or(0)
    }
}

/// One reserved stretch of address space, of which a beginning is accessible.
struct Memory {
    base: *mut u8,
    reserved: usize,
    mapped: usize,
    accessible: usize,
    search: Arc<Search>,
}

#[expect(unsafe_code, reason = "a memory of one's own making is what lets the test look into it")]
// SAFETY: `new_memory` reserves `reserved + guard` bytes without access and opens exactly the bytes asked for.
unsafe impl MemoryCreator for Watched {
    fn new_memory(
        &self,
        _ty: MemoryType,
        minimum: usize,
        maximum: Option<usize>,
        reserved_size_in_bytes: Option<usize>,
        guard_size_in_bytes: usize,
    ) -> Result<Box<dyn LinearMemory>, String> {
        let reserved = reserved_size_in_bytes.or(maximum).unwrap_or(minimum).max(minimum);
        let mapped = (reserved + guard_size_in_bytes).max(1 << 16);
        // SAFETY: a new anonymous mapping at an address of the kernel's choice touches nothing that exists.
        let base = unsafe { mmap_anonymous(ptr::null_mut(), mapped, ProtFlags::empty(), MapFlags::PRIVATE) };
        let base = base.map_err(|error| error.to_string())?.cast();
        let mut memory = Memory { base, reserved, mapped, accessible: 0, search: self.0.clone() };
        memory.grow_to(minimum).map_err(|error| error.to_string())?;
        Ok(Box::new(memory))
    }
}

#[expect(unsafe_code, reason = "as above")]
// SAFETY: the mapping is owned, never moves, and is only read by others while its store is at rest.
unsafe impl Send for Memory {}
#[expect(unsafe_code, reason = "as above")]
// SAFETY: as above.
unsafe impl Sync for Memory {}

#[expect(unsafe_code, reason = "as above")]
// SAFETY: `as_ptr` points at `byte_size` accessible bytes that stay where they are.
unsafe impl LinearMemory for Memory {
    fn byte_size(&self) -> usize {
        self.accessible
    }

    fn byte_capacity(&self) -> usize {
        self.reserved
    }

    fn grow_to(&mut self, new_size: usize) -> wasmtime::Result<()> {
        if new_size > self.reserved {
            return Err(wasmtime::Error::msg("the reservation is used up"));
        }
        if new_size > 0 {
            // SAFETY: the stretch lies within this memory's own mapping.
            unsafe { mprotect(self.base.cast(), new_size, MprotectFlags::READ | MprotectFlags::WRITE) }
                .map_err(|error| wasmtime::Error::msg(error.to_string()))?;
        }
        self.accessible = new_size;
        Ok(())
    }

    fn as_ptr(&self) -> *mut u8 {
        self.base
    }
}

impl Drop for Memory {
    #[expect(unsafe_code, reason = "as above")]
    fn drop(&mut self) {
        // SAFETY: the first `accessible` bytes are readable, and nobody runs in this memory any more.
        let bytes = unsafe { std::slice::from_raw_parts(self.base, self.accessible) };
        for needle in &self.search.needles {
            if bytes.windows(needle.len()).any(|window| window == needle.as_bytes()) {
                *self.search.hits.lock().unwrap().entry(needle).or_default() += 1;
            }
        }
        if let Some(kept) = &self.search.kept {
            let pieces = (0..bytes.len()).step_by(PAGE);
            let pieces = pieces.map(|at| &bytes[at..bytes.len().min(at + PAGE + OVERLAP)]);
            let written = pieces.filter(|piece| piece.iter().any(|byte| *byte != 0));
            kept.lock().unwrap().extend(written.map(<[u8]>::to_vec));
        }
        // SAFETY: the mapping is this memory's own, and nothing points into it any more.
        let unmapped = unsafe { munmap(self.base.cast(), self.mapped) };
        assert!(unmapped.is_ok(), "a mapping of our own can be unmapped");
    }
}
