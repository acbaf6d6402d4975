//! Counts panics, also those that code catches. Accord catches panics of yrs so that a server survives them, but no input
//! may cause one.

use std::cell::Cell;
use std::panic::{set_hook, take_hook};
use std::sync::Once;

thread_local! {
    /// Number of panics in this thread since the counting began.
    static PANICS: Cell<usize> = const { Cell::new(0) };
}

/// Returns the number of panics in this thread. The first call begins the counting for all threads.
pub(crate) fn count() -> usize {
    static COUNTING: Once = Once::new();
    COUNTING.call_once(|| {
        let report = take_hook();
        set_hook(Box::new(move |panic| {
            PANICS.set(PANICS.get() + 1);
            report(panic);
        }));
    });
    PANICS.get()
}
