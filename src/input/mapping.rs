//! Memory mapping, and how the process survives a mapped file that is truncated.
//!
//! A file and a range come in; a [`Mapping`] goes out, which reads as the bytes of the range. This is the
//! only file of `input` with `unsafe` code. It does not know what is read, nor when mapping pays.
//!
//! # The problem
//!
//! Logs are rotated and truncated while they are scanned. A read from a page that the file no longer has is
//! not an error that a program can check for: the kernel sends SIGBUS, which ends the process. One truncated
//! log among ten thousand would cost the whole report.
//!
//! # The solution
//!
//! [`survive_shrinking`] installs a handler of SIGBUS. It knows all mappings made from then on, by a static
//! table of address ranges ([`watch::Slot`]). On a fault in one of them it replaces the pages from the fault
//! to the end of the mapping by zeros, sets the slot's flag, and returns; the read is then repeated and sees
//! a zero:
//!
//! ```text
//! mapping  │ page 0 │ page 1 │ page 2 │ page 3 │      the file is cut to 1½ pages
//! read     │ text   │ text…0 │ SIGBUS               page 1 ends with zeros without a fault
//! handler                    │ zeros  │ zeros  │      mmap(MAP_FIXED | MAP_ANONYMOUS) over both
//! after    │ text   │ text…0 │ 0 0 0  │ 0 0 0  │      is_truncated() is true
//! ```
//!
//! Whoever used the bytes asks [`Mapping::is_truncated`] afterwards, and compares the size of the file as
//! well, because of the page in which the file now ends.
//!
//! # Invariants
//!
//! - The handler does only what is allowed in a signal handler: it loads and stores atomics and calls `mmap`
//!   and `sigaction`. It allocates nothing and takes no lock. Hence the table is static and of fixed size.
//! - A slot is published before its mapping is first read, and freed before it is unmapped. So a range in the
//!   table always belongs to us, and the handler cannot overwrite memory of anybody else.
//! - A SIGBUS that is not ours goes to the handler that was installed before, or ends the process as usual.
//! - Without the handler, a mapped file must not be truncated while it is read: that is up to the caller.

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
    /// The operating system's reason, or that too many mappings are watched already; the caller then reads
    /// instead.
    #[allow(unsafe_code)]
    pub fn new(file: &File, offset: u64, len: usize) -> io::Result<Mapping> {
        // SAFETY: the mapping is private to this process and never written. Another process that writes to
        // the file can change what is read; the matcher accepts any bytes and keeps no pointers or invariants
        // over them. A process that truncates the file makes reads after the new end fail with SIGBUS, which
        // `watch` handles if the program has asked for it; else the module's documentation forbids it.
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

    /// Whether a page of it was gone when it was read, so that it read as zeros.
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
        // Before the field `map` is dropped, after which others may get the memory.
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

/// Lets mapped files be truncated while they are read: installs a handler of SIGBUS for the mappings made
/// from here on. Any other SIGBUS goes to the handler that was installed before. Does nothing the second
/// time.
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

    /// How many mappings can be watched at once. Each worker has one, so this is the number of threads that
    /// can map files.
    const MAX_MAPPINGS: usize = 256;
    /// The start of a slot that is being filled: no page has this address.
    const RESERVED: usize = 1;

    /// A mapping that is watched.
    #[derive(Debug)]
    pub(super) struct Slot {
        /// The address of its first page; 0 if the slot is free, [`RESERVED`] while it is filled.
        start: AtomicUsize,
        /// The address after its last page.
        end: AtomicUsize,
        truncated: AtomicBool,
    }

    static SLOTS: [Slot; MAX_MAPPINGS] = [const {
        Slot { start: AtomicUsize::new(0), end: AtomicUsize::new(0), truncated: AtomicBool::new(false) }
    }; MAX_MAPPINGS];
    /// The size of a page in bytes; 0 if no handler is installed.
    static PAGE_BYTES: AtomicUsize = AtomicUsize::new(0);
    /// The handler that was installed before.
    static PREVIOUS: OnceLock<libc::sigaction> = OnceLock::new();

    impl Slot {
        pub fn is_truncated(&self) -> bool {
            self.truncated.load(Ordering::Relaxed)
        }

        pub fn free(&self) {
            self.start.store(0, Ordering::Release);
        }
    }

    /// Reserves a slot for the mapping and publishes it; `None` if no handler is installed.
    pub(super) fn slot(map: &[u8]) -> io::Result<Option<&'static Slot>> {
        let page = PAGE_BYTES.load(Ordering::Acquire);
        if page == 0 {
            return Ok(None);
        }
        let first = map.as_ptr() as usize;
        let reserve = |slot: &&Slot| {
            slot.start.compare_exchange(0, RESERVED, Ordering::AcqRel, Ordering::Relaxed).is_ok()
        };
        let slot = SLOTS.iter().find(reserve).ok_or_else(|| io::Error::other("too many mappings"))?;
        slot.truncated.store(false, Ordering::Relaxed);
        slot.end.store((first + map.len()).next_multiple_of(page), Ordering::Relaxed);
        // Last, so that whoever sees the start sees the rest.
        slot.start.store(first & !(page - 1), Ordering::Release);
        Ok(Some(slot))
    }

    #[allow(unsafe_code)]
    pub(super) fn install() -> io::Result<()> {
        static ONCE: OnceLock<Result<(), i32>> = OnceLock::new();
        let result = ONCE.get_or_init(|| {
            let handler: extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void) = on_sigbus;
            // SAFETY: `sigaction` is plain data for which zeros are valid, and both pointers are to such
            // data. The handler does only what a handler may: it uses atomics, calls `mmap` and `sigaction`,
            // and neither allocates nor locks.
            let (done, previous) = unsafe {
                let mut action: libc::sigaction = MaybeUninit::zeroed().assume_init();
                let mut previous: libc::sigaction = MaybeUninit::zeroed().assume_init();
                action.sa_sigaction = handler as usize;
                action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_RESTART;
                libc::sigemptyset(&raw mut action.sa_mask);
                (libc::sigaction(libc::SIGBUS, &raw const action, &raw mut previous), previous)
            };
            if done != 0 {
                return Err(io::Error::last_os_error().raw_os_error().unwrap_or_default());
            }
            let _ = PREVIOUS.set(previous);
            // SAFETY: it gets a number and returns one.
            let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
            PAGE_BYTES.store(usize::try_from(page).unwrap_or_default(), Ordering::Release);
            Ok(())
        });
        result.map_err(io::Error::from_raw_os_error)
    }

    /// Handles SIGBUS. What it calls may set `errno`, which the interrupted code may be about to read.
    extern "C" fn on_sigbus(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
        let before = errno::errno();
        handle(signal, info, context);
        errno::set_errno(before);
    }

    /// Replaces the page of the fault and those after it by zeros, if they are of a watched mapping.
    #[allow(unsafe_code)]
    fn handle(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
        // SAFETY: the system passes a valid `info` to a handler with SA_SIGINFO.
        let address = unsafe { (*info).si_addr() } as usize;
        let page = PAGE_BYTES.load(Ordering::Relaxed);
        for slot in &SLOTS {
            let (start, end) = (slot.start.load(Ordering::Acquire), slot.end.load(Ordering::Relaxed));
            if page == 0 || start <= RESERVED || address < start || address >= end {
                continue;
            }
            let from = address & !(page - 1);
            // SAFETY: the pages from here to the end of the mapping belong to it, and it is not unmapped
            // before its slot is freed. They stay readable, and a private view of zeros is as good as one of
            // a file.
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
        pass_on(signal, info, context);
    }

    /// Calls the handler that was installed before. If there was none, the default is restored: the faulting
    /// instruction is then repeated, and the signal ends the process.
    #[allow(unsafe_code)]
    fn pass_on(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
        match PREVIOUS.get() {
            Some(previous)
                if previous.sa_sigaction != libc::SIG_DFL && previous.sa_sigaction != libc::SIG_IGN =>
            {
                // SAFETY: what the system returned as the previous handler is a function of one of these two
                // types, as its flags say, and it is called with what it would have been called with.
                unsafe {
                    if previous.sa_flags & libc::SA_SIGINFO != 0 {
                        type Handler = extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void);
                        std::mem::transmute::<usize, Handler>(previous.sa_sigaction)(signal, info, context);
                    } else {
                        type Handler = extern "C" fn(libc::c_int);
                        std::mem::transmute::<usize, Handler>(previous.sa_sigaction)(signal);
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

    /// Regression: a file that was truncated while it was mapped ended the process.
    #[test]
    fn pages_that_are_gone_read_as_zeros() {
        survive_shrinking().expect("installs");
        survive_shrinking().expect("once is enough");
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(&vec![b'x'; 1 << 20]).expect("writes");
        let whole = Mapping::new(&file, 0, 4096).expect("maps");
        let truncated = Mapping::new(&file, 70_000, 900_000).expect("maps");
        assert!(truncated.iter().all(|byte| *byte == b'x') && !truncated.is_truncated());
        file.set_len(100_000).expect("truncates");
        let left = truncated.iter().take_while(|byte| **byte == b'x').count();
        assert_eq!(left, 30_000);
        assert!(truncated[left..].iter().all(|byte| *byte == 0) && truncated.is_truncated());
        assert!(whole.iter().all(|byte| *byte == b'x') && !whole.is_truncated());
        drop(truncated);
        let again = Mapping::new(&file, 70_000, 1_000).expect("maps");
        assert!(again.iter().all(|byte| *byte == b'x') && !again.is_truncated());
    }

    /// A fault may come between a call that fails and the look at its reason.
    #[test]
    fn the_handler_keeps_errno() {
        survive_shrinking().expect("installs");
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(&vec![b'x'; 1 << 20]).expect("writes");
        let truncated = Mapping::new(&file, 0, 1 << 20).expect("maps");
        file.set_len(0).expect("truncates");
        errno::set_errno(errno::Errno(77));
        let byte = std::hint::black_box(truncated[1 << 19]);
        assert_eq!((byte, errno::errno().0), (0, 77));
        assert!(truncated.is_truncated());
    }
}
