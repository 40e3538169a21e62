//! Work: how many steps were done, so that tests can compare inputs of two sizes without a clock.
//!
//! Whoever reads bytes, or looks at items one by one, adds how many. Only the crate's own tests count; elsewhere nothing
//! is done. A step is a byte or an item: what matters is how the sum grows with the input.

#[cfg(test)]
thread_local! {
    static DONE: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// Adds steps that are done.
#[inline(always)]
pub fn add(steps: usize) {
    #[cfg(test)]
    DONE.set(DONE.get() + steps as u64);
    #[cfg(not(test))]
    let _ = steps;
}

/// Returns the steps that this thread has done so far.
#[cfg(test)]
pub fn done() -> u64 {
    DONE.get()
}
