//! The one door to memory mapping, and what happens when a mapped file becomes shorter.
//!
//! A file and a range come in, a [`Mapping`] goes out. Reading behind the end of a file that was cut meanwhile is a
//! SIGBUS, which ends a process. [`survive_shrinking`] takes that signal: pages that are gone become zeros, and the
//! mapping says so. A program calls it once; without it a mapped file must not be shortened while it is read.

use memmap2::{Mmap, MmapOptions};
use std::fs::File;
use std::io;
use std::ops::Deref;

/// A read-only view of a part of a file.
#[derive(Debug)]
pub struct Mapping {
    map: Mmap,
    #[cfg(unix)]
    watched: Option<&'static watch::Slot>,
}

impl Mapping {
    /// Maps `len` bytes of `file` from `offset` on; `len` is not 0.
    ///
    /// # Errors
    ///
    /// The operating system's reason, or that too many are watched already; the caller then reads instead.
    #[allow(unsafe_code)]
    pub fn new(file: &File, offset: u64, len: usize) -> io::Result<Mapping> {
        // SAFETY: the mapping is private to this process and never written. Another process that writes to the file
        // can change what is read, which the matcher takes like any bytes: it holds no pointers or invariants over
        // the content. One that shortens the file makes reads behind its new end fail with SIGBUS, which is taken by
        // `watch` where the program has asked for it; else the module's contract says that nobody may.
        let map = unsafe { MmapOptions::new().offset(offset).len(len).map(file)? };
        #[cfg(unix)]
        {
            let _ = map.advise(memmap2::Advice::Sequential);
            let watched = watch::slot(&map)?;
            Ok(Mapping { map, watched })
        }
        #[cfg(not(unix))]
        Ok(Mapping { map })
    }

    /// Whether a page of it was gone when it was read, so that it showed zeros.
    pub fn is_truncated(&self) -> bool {
        #[cfg(unix)]
        return self.watched.is_some_and(watch::Slot::is_truncated);
        #[cfg(not(unix))]
        false
    }
}

#[cfg(unix)]
impl Drop for Mapping {
    fn drop(&mut self) {
        // Before the memory is somebody else's.
        if let Some(slot) = self.watched {
            slot.free();
        }
    }
}

impl Deref for Mapping {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.map
    }
}

/// Lets mapped files become shorter while they are read: installs a handler of SIGBUS for the mappings made from here on,
/// which hands any other SIGBUS on to the handler before it. Does nothing the second time.
///
/// # Errors
///
/// The operating system's reason; files must then be read instead.
#[cfg(unix)]
pub fn survive_shrinking() -> io::Result<()> {
    watch::install()
}

#[cfg(unix)]
mod watch {
    use std::io;
    use std::mem::MaybeUninit;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    /// How many mappings can be watched at once: each worker has one.
    const MAX_MAPPINGS: usize = 256;
    /// The start of a slot that is being filled.
    const TAKEN: usize = 1;

    /// A mapping that is watched.
    #[derive(Debug)]
    pub(super) struct Slot {
        /// The address of its first page; 0 where the slot is free.
        start: AtomicUsize,
        /// The address behind its last page.
        end: AtomicUsize,
        truncated: AtomicBool,
    }

    static SLOTS: [Slot; MAX_MAPPINGS] = [const {
        Slot { start: AtomicUsize::new(0), end: AtomicUsize::new(0), truncated: AtomicBool::new(false) }
    }; MAX_MAPPINGS];
    /// Bytes of a page; 0 where no handler is installed.
    static PAGE: AtomicUsize = AtomicUsize::new(0);
    /// The handler before.
    static BEFORE: OnceLock<libc::sigaction> = OnceLock::new();

    impl Slot {
        pub fn is_truncated(&self) -> bool {
            self.truncated.load(Ordering::Relaxed)
        }

        pub fn free(&self) {
            self.start.store(0, Ordering::Release);
        }
    }

    /// A slot for the mapping; none where no handler is installed.
    pub(super) fn slot(map: &[u8]) -> io::Result<Option<&'static Slot>> {
        let page = PAGE.load(Ordering::Acquire);
        if page == 0 {
            return Ok(None);
        }
        let first = map.as_ptr() as usize;
        let free =
            |slot: &&Slot| slot.start.compare_exchange(0, TAKEN, Ordering::AcqRel, Ordering::Relaxed).is_ok();
        let slot = SLOTS.iter().find(free).ok_or_else(|| io::Error::other("too many mappings"))?;
        slot.truncated.store(false, Ordering::Relaxed);
        slot.end.store((first + map.len()).next_multiple_of(page), Ordering::Relaxed);
        slot.start.store(first & !(page - 1), Ordering::Release);
        Ok(Some(slot))
    }

    #[allow(unsafe_code)]
    pub(super) fn install() -> io::Result<()> {
        static ONCE: OnceLock<Result<(), i32>> = OnceLock::new();
        let result = ONCE.get_or_init(|| {
            let handler: extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void) = on_sigbus;
            // SAFETY: `sigaction` is plain data for which zeros are valid, and both pointers are to such data. The handler
            // does what a handler may: it reads atomics, calls `mmap` and `sigaction`, and allocates and locks nothing.
            let (done, before) = unsafe {
                let mut action: libc::sigaction = MaybeUninit::zeroed().assume_init();
                let mut before: libc::sigaction = MaybeUninit::zeroed().assume_init();
                action.sa_sigaction = handler as usize;
                action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_RESTART;
                libc::sigemptyset(&raw mut action.sa_mask);
                (libc::sigaction(libc::SIGBUS, &raw const action, &raw mut before), before)
            };
            if done != 0 {
                return Err(io::Error::last_os_error().raw_os_error().unwrap_or_default());
            }
            let _ = BEFORE.set(before);
            // SAFETY: it takes a number and gives one.
            let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
            PAGE.store(usize::try_from(page).unwrap_or_default(), Ordering::Release);
            Ok(())
        });
        result.map_err(io::Error::from_raw_os_error)
    }

    /// A page that is gone becomes zeros, and so do those behind it; what is not ours is handed on.
    #[allow(unsafe_code)]
    extern "C" fn on_sigbus(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
        // SAFETY: the system gives a valid `info` to a handler with SA_SIGINFO.
        let address = unsafe { (*info).si_addr() } as usize;
        let page = PAGE.load(Ordering::Relaxed);
        for slot in &SLOTS {
            let (start, end) = (slot.start.load(Ordering::Acquire), slot.end.load(Ordering::Relaxed));
            if page == 0 || start <= TAKEN || address < start || address >= end {
                continue;
            }
            let from = address & !(page - 1);
            // SAFETY: the pages from here to the end of the mapping belong to it, and it is not freed before its slot is.
            // They stay readable, and a private view of zeros is as good as one of a file.
            let zeros = unsafe {
                libc::mmap(
                    from as *mut libc::c_void,
                    end - from,
                    libc::PROT_READ,
                    libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED,
                    -1,
                    0,
                )
            };
            if zeros == libc::MAP_FAILED {
                break;
            }
            slot.truncated.store(true, Ordering::Relaxed);
            return;
        }
        hand_on(signal, info, context);
    }

    /// Calls the handler before; where there was none the signal comes again and ends the process.
    #[allow(unsafe_code)]
    fn hand_on(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
        match BEFORE.get() {
            Some(before) if before.sa_sigaction != libc::SIG_DFL && before.sa_sigaction != libc::SIG_IGN => {
                // SAFETY: what the system gave as the handler before is a function of one of these two kinds, as its flags
                // say, and it is called with what it would have been called with.
                unsafe {
                    if before.sa_flags & libc::SA_SIGINFO != 0 {
                        type Handler = extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void);
                        std::mem::transmute::<usize, Handler>(before.sa_sigaction)(signal, info, context);
                    } else {
                        type Handler = extern "C" fn(libc::c_int);
                        std::mem::transmute::<usize, Handler>(before.sa_sigaction)(signal);
                    }
                }
            }
            // SAFETY: as in `install`.
            _ => unsafe {
                let mut action: libc::sigaction = MaybeUninit::zeroed().assume_init();
                action.sa_sigaction = libc::SIG_DFL;
                libc::sigaction(signal, &raw const action, std::ptr::null_mut());
            },
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::io::Write;

    /// Regression: a file that became shorter while it was mapped ended the process.
    #[test]
    fn pages_that_are_gone_are_zeros() {
        survive_shrinking().expect("installs");
        survive_shrinking().expect("once is enough");
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(&vec![b'x'; 1 << 20]).expect("writes");
        let (whole, truncated) = (
            Mapping::new(&file, 0, 4096).expect("maps"),
            Mapping::new(&file, 70_000, 900_000).expect("maps"),
        );
        assert!(truncated.iter().all(|byte| *byte == b'x') && !truncated.is_truncated());
        file.set_len(100_000).expect("cuts");
        let left = truncated.iter().take_while(|byte| **byte == b'x').count();
        assert_eq!(left, 30_000);
        assert!(truncated[left..].iter().all(|byte| *byte == 0) && truncated.is_truncated());
        assert!(whole.iter().all(|byte| *byte == b'x') && !whole.is_truncated());
        drop(truncated);
        let again = Mapping::new(&file, 70_000, 1_000).expect("maps");
        assert!(again.iter().all(|byte| *byte == b'x') && !again.is_truncated());
    }
}
