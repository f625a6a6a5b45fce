//! Threads whose work can wait: who answers a read gets the processor first where there is not enough of it.

/// How far the thread that settles gives way: nobody waits for it before memory is full.
pub(crate) const SETTLING: i32 = 10;
/// How far threads give way that prepare statements: many of them make one group.
pub const PREPARING: i32 = 5;

/// Lets others go before this thread from now on, by so much on the scale of `nice`: with 10 more it gets a tenth of what
/// another gets that asks for the same processor. It is a matter of delay only, so nothing is lost where the system refuses.
pub fn give_way(by: i32) {
    // On Linux this is about the thread that calls, elsewhere about the whole process.
    if cfg!(target_os = "linux") {
        let _ = rustix::process::nice(by);
    }
}
