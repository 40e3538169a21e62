//! Standard streams that were closed when the program was started, as by `>&-`.
//!
//! Rust's runtime opens `/dev/null` in the place of a closed stream before `main` runs, so that no other file
//! gets its number. What is written to it is lost without an error, and it cannot be distinguished from a
//! stream that somebody has redirected to `/dev/null`. So one function looks before the runtime does.

/// Whether standard input was closed.
pub fn stdin_is_closed() -> bool {
    #[cfg(any(target_os = "linux", target_os = "macos"))]
    return at_start::STDIN_CLOSED.load(std::sync::atomic::Ordering::Relaxed);
    #[cfg(not(any(target_os = "linux", target_os = "macos")))]
    false
}

/// Whether standard output was closed.
pub fn stdout_is_closed() -> bool {
    #[cfg(any(target_os = "linux", target_os = "macos"))]
    return at_start::STDOUT_CLOSED.load(std::sync::atomic::Ordering::Relaxed);
    #[cfg(not(any(target_os = "linux", target_os = "macos")))]
    false
}

#[cfg(any(target_os = "linux", target_os = "macos"))]
mod at_start {
    use rustix::io::{Errno, fcntl_getfd};
    use rustix::stdio::{stdin, stdout};
    use std::sync::atomic::{AtomicBool, Ordering};

    pub static STDIN_CLOSED: AtomicBool = AtomicBool::new(false);
    pub static STDOUT_CLOSED: AtomicBool = AtomicBool::new(false);

    /// The loader calls what is in this section before `main`. The attribute counts as unsafe code, because a
    /// section may mean anything to the loader. In this one it expects the address of a function of C, which
    /// this is; the function makes two system calls, stores two flags, and needs nothing of the runtime.
    #[used]
    #[allow(unsafe_code)]
    #[cfg_attr(target_os = "linux", unsafe(link_section = ".init_array"))]
    #[cfg_attr(target_os = "macos", unsafe(link_section = "__DATA,__mod_init_func"))]
    static LOOK: extern "C" fn() = look;

    extern "C" fn look() {
        STDIN_CLOSED.store(fcntl_getfd(stdin()) == Err(Errno::BADF), Ordering::Relaxed);
        STDOUT_CLOSED.store(fcntl_getfd(stdout()) == Err(Errno::BADF), Ordering::Relaxed);
    }
}
