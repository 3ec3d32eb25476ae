//! One call, one run: whatever breaks, no agent is run twice, and no error says that none ran when one did.

mod fault;
mod lane;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use fault::Fault;
use futures_util::future::join_all;
use lane::{Lane, Tokens, prompt};
use serde_json::{from_value, json};
use stromboli::{Client, Error, RequestOptions, RetryPolicy};

/// Clients that call at the same time, and the calls of all of them.
const LANES: usize = 32;
const CALLS: usize = 2_400;
const ATTEMPTS: usize = 3;
/// The time of a call that shall not end for the time, and of one that shall.
const AMPLE: Duration = Duration::from_secs(20);
const SCANT: Duration = Duration::from_millis(150);
/// What a loaded machine may add to the time of a call.
const SLACK: Duration = Duration::from_secs(5);
/// The last of the operations in [`perform`].
const SEND: usize = 4;
/// The variable that repeats the run of a failure, the one that makes it longer, and the one with the folder that figures
/// are written to.
const SEED: &str = "STROMBOLI_TEST_SEED";
const MORE_CALLS: &str = "STROMBOLI_TEST_CALLS";
const FIGURES: &str = "STROMBOLI_FIGURES";

/// What the calls of a lane came to.
#[derive(Default)]
struct Tally {
    met: BTreeMap<Fault, usize>,
    executions: usize,
    executed_twice: usize,
    /// The same for a client that sends again after every failure, and after every status of 500 and above.
    naive_twice: usize,
    naive_5xx_twice: usize,
    succeeded: usize,
    broken: Vec<String>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_call_is_executed_twice_and_no_error_denies_an_execution() {
    let seed = std::env::var(SEED).map_or(20_260_506, |seed| seed.parse().unwrap());
    let wanted: usize = std::env::var(MORE_CALLS).map_or(CALLS, |calls| calls.parse().unwrap());
    let each = wanted.div_ceil(LANES);
    let lanes = (0..LANES).map(|lane| tokio::spawn(calls(lane, each, seed)));
    let mut total = Tally::default();
    for tally in join_all(lanes).await {
        let tally = tally.unwrap();
        tally
            .met
            .iter()
            .for_each(|(fault, n)| *total.met.entry(*fault).or_default() += n);
        total.executions += tally.executions;
        total.executed_twice += tally.executed_twice;
        total.naive_twice += tally.naive_twice;
        total.naive_5xx_twice += tally.naive_5xx_twice;
        total.succeeded += tally.succeeded;
        total.broken.extend(tally.broken);
    }
    println!("{}", tell(seed, LANES * each, &total));
    assert!(
        total.broken.is_empty(),
        "{SEED}={seed} repeats this: {} promises broken:\n{}",
        total.broken.len(),
        total.broken.join("\n")
    );
    assert_eq!(total.executed_twice, 0, "{SEED}={seed}");
    // The faults are such that a client which does not tell them apart would have been caught.
    assert!(total.naive_twice > 100, "{}", total.naive_twice);
    assert!(total.naive_5xx_twice > 50, "{}", total.naive_5xx_twice);
    for fault in Fault::ALL {
        let met = total.met.get(&fault).copied().unwrap_or_default();
        assert!(met >= 20, "{fault:?} was met {met} times");
    }
}

/// The figures, which are also written where `cargo xtask reliability` finds them.
fn tell(seed: u64, calls: usize, total: &Tally) -> String {
    let Tally {
        succeeded,
        executions,
        executed_twice,
        naive_twice,
        naive_5xx_twice,
        broken,
        met,
    } = total;
    let figures = format!(
        "Seed {seed}: {calls} calls, {succeeded} of which succeeded, {executions} executions. Executed twice: {executed_twice}. \
         Wrong in any other way, a false `may_have_executed` among them: {}.\n\nThe same schedule for a client that sends again \
         after any 5xx: {naive_5xx_twice} executed twice; after any failure: {naive_twice}.\n\nHow attempts ended: {met:?}.\n",
        broken.len()
    );
    if let Some(folder) = std::env::var_os(FIGURES) {
        let folder = std::path::PathBuf::from(folder);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("calls.md"), &figures).unwrap();
    }
    figures
}

/// All calls of one lane.
async fn calls(number: usize, each: usize, seed: u64) -> Tally {
    let mut random = fastrand::Rng::with_seed(seed.wrapping_add(number as u64));
    let lane = Lane::start(number % 2 == 1).await;
    let policy = RetryPolicy::default()
        .max_attempts(ATTEMPTS as u32)
        .base_delay(Duration::from_millis(1))
        .max_delay(Duration::from_millis(2))
        .budget(1_000_000);
    let client = Client::builder(lane.url())
        .hook(lane.hook())
        .token_source(Tokens::default())
        .retry(policy)
        .build()
        .unwrap();
    let mut tally = Tally::default();
    let mut ended = Vec::new();
    for call in (0..each).map(|call| number * each + call) {
        // A refused token is worth one attempt more.
        let plan: Vec<_> = (0..=ATTEMPTS).map(|_| Fault::draw(&mut random)).collect();
        let naively = |resends: fn(Fault) -> bool| usize::from(naive_executions(&plan[..ATTEMPTS], resends) > 1);
        tally.naive_twice += naively(|fault| !fault.is_good());
        tally.naive_5xx_twice += naively(Fault::is_5xx);
        let operation = random.usize(..5);
        lane.settle().await;
        let agent = if operation == SEND {
            lane.new_agent().await
        } else {
            String::new()
        };
        lane.plan(call, plan.clone());
        let mut doubtful = plan
            .iter()
            .filter(|fault| fault.is_known_to_be_harmless() == Some(false));
        let scant = doubtful.next().is_some_and(|fault| fault.is_silent());
        let time = if scant { SCANT } else { AMPLE };
        let client = client.with_options(RequestOptions::new().timeout(time));
        let began = Instant::now();
        let performed = perform(&client, operation, prompt(call), &agent);
        let result = tokio::time::timeout(time + SLACK, performed).await;
        let took = began.elapsed();

        let met = lane.met();
        for fault in &met {
            *tally.met.entry(*fault).or_default() += 1;
        }
        let Ok(result) = result else {
            tally
                .broken
                .push(format!("call {call} still went on after {took:?}: {plan:?}"));
            continue;
        };
        tally.succeeded += usize::from(result.is_ok());
        ended.push((call, operation, met, result, scant));
    }
    lane.settle().await;
    for (call, operation, met, result, scant) in ended {
        let executions = lane.executions(call);
        tally.executions += executions;
        tally.executed_twice += usize::from(executions > 1);
        let mut promises = broken_promises(&met, executions, &result, scant);
        // An attempt that was given up in the middle may not have come so far.
        let executed = met.iter().filter(|fault| fault.executes()).count();
        if executions != executed && !scant {
            promises.push("the emulator did not execute what its faults say");
        }
        if lane.passed_on(call) != executions {
            promises.push("the emulator lists another number of executed requests");
        }
        let tell =
            |promise| format!("call {call}, operation {operation}: {promise}: {met:?}, {executions}, {result:?}");
        tally.broken.extend(promises.into_iter().map(tell));
    }
    if lane.all_executions() != tally.executions as u64 {
        let counted = lane.all_executions();
        tally
            .broken
            .push(format!("lane {number}: the emulator counts {counted} executions"));
    }
    tally
}

/// What does not hold of a call that met these faults. When its time is scant, it may end before all of them.
fn broken_promises(met: &[Fault], executions: usize, result: &Result<(), Error>, scant: bool) -> Vec<&'static str> {
    let (last, before) = met.split_last().unwrap();
    let mut broken = Vec::new();
    let mut promise = |kept: bool, text| {
        if !kept {
            broken.push(text);
        }
    };
    promise(executions <= 1, "it was executed twice");
    promise(
        before
            .iter()
            .all(|fault| fault.is_known_to_be_harmless() != Some(false)),
        "it was sent again after a doubtful end",
    );
    let renewed = before.contains(&Fault::Unauthorized);
    promise(met.len() <= ATTEMPTS + usize::from(renewed), "it was sent too often");
    match result {
        Ok(()) => {
            promise(last.is_good(), "it succeeded in spite of a fault");
            promise(executions == 1, "it succeeded without being executed");
        }
        Err(error) => {
            promise(
                executions == 0 || error.may_have_executed(),
                "the error denies that it was executed",
            );
            if !scant {
                promise(!last.is_good(), "it failed without a fault");
                let (harmless, unauthorized) = (last.is_known_to_be_harmless(), *last == Fault::Unauthorized);
                promise(
                    harmless != Some(true) || met.len() >= ATTEMPTS || unauthorized,
                    "it gave up although nothing had been run",
                );
                promise(!unauthorized || renewed, "it did not try another token");
                promise(
                    harmless != Some(error.may_have_executed()),
                    "the error says the wrong thing of whether it was executed",
                );
                // A stream that has opened does not know any more how often it was sent.
                let opened = error.status().is_some_and(|status| status.is_success());
                promise(
                    error.attempts() as usize == met.len() || opened,
                    "the error counts the attempts wrongly",
                );
            }
        }
    }
    broken
}

/// How often a client would execute a call that it sends again after such ends.
fn naive_executions(plan: &[Fault], resends: fn(Fault) -> bool) -> usize {
    let last = plan.iter().position(|fault| !resends(*fault));
    let sent = last.map_or(plan, |last| &plan[..=last]);
    sent.iter().filter(|fault| fault.executes()).count()
}

/// One of the five operations that execute, the last of which needs an agent.
async fn perform(client: &Client, operation: usize, prompt: String, agent: &str) -> Result<(), Error> {
    let raw = client.raw();
    match operation {
        0 => client.run(prompt).await.map(drop),
        1 => client.start(prompt).await.map(drop),
        2 => client.stream(prompt).await?.text().await.map(drop),
        3 => match raw.agent_create(&from_value(json!({"prompt": prompt})).unwrap()).await {
            Ok(_) => Ok(()),
            Err(error) => Err(Error::from_raw("agent_create", error).await),
        },
        _ => match raw
            .agent_send(agent, &from_value(json!({"prompt": prompt})).unwrap())
            .await
        {
            Ok(_) => Ok(()),
            Err(error) => Err(Error::from_raw("agent_send", error).await),
        },
    }
}
