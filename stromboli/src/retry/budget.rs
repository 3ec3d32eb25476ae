//! How many retries the clones of a client can afford together.

use super::sync::atomic::{AtomicU32, Ordering};

/// What a retry costs in credit, and what a call that succeeds at once gives back.
pub(crate) const RETRY_COST: u32 = 10;
const SUCCESS_CREDIT: u32 = 1;

/// The credit that all clones of a client share.
#[derive(Debug)]
pub(crate) struct Budget {
    credit: AtomicU32,
    most: u32,
}

impl Budget {
    pub(crate) fn new(retries: u32) -> Self {
        let most = retries.saturating_mul(RETRY_COST);
        Self {
            credit: AtomicU32::new(most),
            most,
        }
    }

    /// Takes the price of one retry; false when there is not enough left.
    pub(crate) fn take(&self) -> bool {
        let pay = |credit: u32| credit.checked_sub(RETRY_COST);
        self.credit
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, pay)
            .is_ok()
    }

    pub(crate) fn reward(&self) {
        // A full budget is the usual case, and needs no write that other threads would have to see.
        if self.credit.load(Ordering::Relaxed) < self.most {
            let add = |credit: u32| Some(credit.saturating_add(SUCCESS_CREDIT).min(self.most));
            let _ = self.credit.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
        }
    }
}
