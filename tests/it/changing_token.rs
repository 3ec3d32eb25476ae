//! Clones of one client in 64 tasks and four threads, while the server makes their token worthless again and again.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::join_all;
use stromboli::hooks::{Hook, RequestEvent, ResponseEvent};
use stromboli::{Client, Credentials};
use stromboli_emulator::Emulator;
use tokio::sync::watch;

use crate::support::within;

const TASKS: usize = 64;
/// How often the token expires.
const EXPIRIES: usize = 8;
const LIFE: Duration = Duration::from_secs(3600);
const REQUESTS: &str = "requests";
const REFUSALS: &str = "refusals";

/// Counts the attempts of each operation, and those that were refused.
#[derive(Clone, Default)]
struct Counts(Arc<Mutex<HashMap<(&'static str, &'static str), usize>>>);

impl Counts {
    fn add(&self, what: &'static str, operation: &'static str) {
        *self.0.lock().unwrap().entry((what, operation)).or_default() += 1;
    }

    fn of(&self, what: &'static str, operation: &'static str) -> usize {
        self.0
            .lock()
            .unwrap()
            .get(&(what, operation))
            .copied()
            .unwrap_or_default()
    }
}

impl Hook for Counts {
    fn on_request(&self, request: &mut RequestEvent<'_>) {
        self.add(REQUESTS, request.operation);
    }

    fn on_response(&self, response: &ResponseEvent<'_>) {
        if response.status == 401 {
            self.add(REFUSALS, response.operation);
        }
    }
}

/// Waits until every task has had a call that began after now.
async fn all_have_called(calls: &mut watch::Receiver<[usize; TASKS]>) {
    let before = *calls.borrow_and_update();
    let is_through = |calls: &[usize; TASKS]| calls.iter().zip(before).all(|(calls, before)| *calls >= before + 2);
    calls.wait_for(is_through).await.unwrap();
}

/// Lets the token expire again and again. No call is under way for so long that it meets two expiries.
async fn expire_again_and_again(emulator: &Emulator, mut calls: watch::Receiver<[usize; TASKS]>) {
    for _ in 0..EXPIRIES {
        all_have_called(&mut calls).await;
        emulator.advance_clock(LIFE);
    }
    all_have_called(&mut calls).await;
}

async fn every_call_succeeds(refresh_life: Duration) -> (Counts, usize) {
    let emulator = Emulator::builder()
        .api_token("the-api-token")
        .jwt_secret("0123456789abcdef0123456789abcdef")
        .jwt_expiry(LIFE)
        .jwt_refresh_expiry(refresh_life)
        .start()
        .await
        .unwrap();
    let counts = Counts::default();
    let client = Client::builder(emulator.url())
        .credentials(Credentials::client_id("ci", "the-api-token").unwrap())
        .hook(counts.clone())
        .build()
        .unwrap();
    let over = Arc::new(AtomicBool::new(false));
    let (done, calls) = watch::channel([0; TASKS]);
    let done = Arc::new(done);
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let (client, over, done) = (client.clone(), Arc::clone(&over), Arc::clone(&done));
            tokio::spawn(async move {
                let mut runs = 0;
                while !over.load(Ordering::Relaxed) {
                    match task % 3 {
                        0 => drop(client.claude_status().await.unwrap()),
                        1 => drop(client.jobs().list().await.unwrap()),
                        _ => {
                            runs += 1;
                            drop(client.run("hi").await.unwrap());
                        }
                    }
                    done.send_modify(|done| done[task] += 1);
                }
                runs
            })
        })
        .collect();
    within(expire_again_and_again(&emulator, calls)).await;
    over.store(true, Ordering::Relaxed);
    let runs: usize = within(join_all(tasks)).await.into_iter().map(Result::unwrap).sum();
    assert_eq!(
        emulator.executions(),
        runs as u64,
        "a refused run was run, or one was run twice"
    );
    (counts, runs)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_expiry_costs_64_tasks_one_refresh_and_no_call() {
    let (counts, runs) = every_call_succeeds(LIFE * 1000).await;
    assert_eq!(counts.of(REQUESTS, "auth_token"), 1);
    assert_eq!(counts.of(REQUESTS, "auth_refresh"), EXPIRIES);
    // Who was under way with the old token was refused once, and nobody who began later.
    let refused: usize = ["claude_status", "jobs_list", "run_sync"]
        .iter()
        .map(|operation| counts.of(REFUSALS, operation))
        .sum();
    assert!((EXPIRIES..=EXPIRIES * TASKS).contains(&refused), "{refused}");
    assert_eq!(counts.of(REQUESTS, "run_sync"), runs + counts.of(REFUSALS, "run_sync"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_refresh_token_that_has_expired_as_well_costs_one_new_token() {
    let (counts, _) = every_call_succeeds(LIFE).await;
    assert_eq!(counts.of(REQUESTS, "auth_refresh"), EXPIRIES);
    assert_eq!(counts.of(REFUSALS, "auth_refresh"), EXPIRIES);
    assert_eq!(counts.of(REQUESTS, "auth_token"), EXPIRIES + 1);
}
