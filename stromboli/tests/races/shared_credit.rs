//! The retry budget: no credit is lost or made, whoever takes and gives at the same time.

use loom::sync::Arc;
use loom::thread;

use crate::budget::{Budget, RETRY_COST};

/// Empties the budget, and says how many retries it could still afford.
fn rest(budget: &Budget) -> u32 {
    let mut retries = 0;
    while budget.take() {
        retries += 1;
        assert!(retries < 100, "more than it ever had");
    }
    retries
}

/// Gives credit for so many successes.
fn reward(budget: &Budget, successes: u32) {
    (0..successes).for_each(|_| budget.reward());
}

#[test]
fn of_the_last_credit_only_one_retry_is_paid() {
    loom::model(|| {
        let budget = Arc::new(Budget::new(1));
        let takers: Vec<_> = (0..2)
            .map(|_| {
                let budget = Arc::clone(&budget);
                thread::spawn(move || budget.take())
            })
            .collect();
        let paid = takers.into_iter().map(|taker| taker.join().unwrap());
        assert_eq!(paid.filter(|paid| *paid).count(), 1);
        assert_eq!(rest(&budget), 0);
    });
}

#[test]
fn successes_at_the_same_time_all_count() {
    loom::model(|| {
        let budget = Arc::new(Budget::new(1));
        assert!(budget.take());
        reward(&budget, RETRY_COST - 2);
        let givers: Vec<_> = (0..2)
            .map(|_| {
                let budget = Arc::clone(&budget);
                thread::spawn(move || budget.reward())
            })
            .collect();
        givers.into_iter().for_each(|giver| giver.join().unwrap());
        assert_eq!(rest(&budget), 1);
    });
}

#[test]
fn credit_never_grows_beyond_the_most() {
    loom::model(|| {
        let budget = Arc::new(Budget::new(1));
        assert!(budget.take());
        reward(&budget, RETRY_COST - 1);
        let givers: Vec<_> = (0..2)
            .map(|_| {
                let budget = Arc::clone(&budget);
                thread::spawn(move || budget.reward())
            })
            .collect();
        givers.into_iter().for_each(|giver| giver.join().unwrap());
        assert_eq!(rest(&budget), 1);
        reward(&budget, RETRY_COST - 1);
        assert_eq!(rest(&budget), 0, "it had credit above the most, and kept it");
    });
}

#[test]
fn a_success_beside_a_retry_is_neither_lost_nor_doubled() {
    loom::model(|| {
        // Credit for one retry, less one: the success pays for it or comes too late.
        let budget = Arc::new(Budget::new(2));
        assert!(budget.take() && budget.take());
        reward(&budget, RETRY_COST - 1);
        let giver = {
            let budget = Arc::clone(&budget);
            thread::spawn(move || budget.reward())
        };
        let taken = budget.take();
        giver.join().unwrap();
        assert_eq!(rest(&budget), u32::from(!taken));
        // All is spent now: only a whole price buys the next.
        reward(&budget, RETRY_COST - 1);
        assert_eq!(rest(&budget), 0);
        budget.reward();
        assert_eq!(rest(&budget), 1);
    });
}
