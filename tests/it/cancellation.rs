//! Futures and streams that are dropped in the middle: no lock stays held, no connection open, and the client goes on.

mod cut;
mod operations;
mod pulled;

use std::sync::Arc;
use std::time::Duration;

use cut::{cut, cut_when};
use futures_util::future::join_all;
use operations::{LIFE, OPERATIONS, World, often};
use stromboli::hooks::{Hook, RetryEvent};
use stromboli::{AgentRequest, Client, RetryPolicy, Timeouts, Token};
use stromboli_emulator::{Emulator, Fault, Hold};
use tokio::sync::Notify;

use crate::support::{Relay, within};

/// No call needs to be polled as often.
const MOST_POLLS: usize = 1000;

/// An HTTP client that keeps no connection for the next call, so that one that is open belongs to a call.
fn without_pool() -> reqwest::Client {
    let builder = reqwest::Client::builder().pool_max_idle_per_host(0).no_proxy();
    let builder = builder.retry(reqwest::retry::never());
    builder.redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

/// Drops `operation` after one poll, after two, and so on up to its end; and looks each time at what is left. Gives the
/// number of times.
async fn drop_everywhere(world: &World, client: &Client, operation: &str) -> usize {
    for polls in 0..MOST_POLLS {
        let (id, hold) = world.prepare(operation).await;
        let ended = cut(World::call(client, operation, &id), polls).await;
        if let Some(ended) = &ended {
            assert!(ended.is_ok(), "{operation} after {polls} polls: {ended:?}");
        }
        drop(hold);
        world.relay.closed().await;
        let next = within(client.claude_status()).await;
        assert!(next.is_ok(), "after {operation}, dropped after {polls} polls: {next:?}");
        world.relay.closed().await;
        if ended.is_some() {
            return polls;
        }
    }
    panic!("{operation} does not end");
}

#[tokio::test]
async fn whatever_is_dropped_at_any_point_leaves_a_closed_socket_and_a_client_that_goes_on() {
    let world = World::start().await;
    let client = world.builder().http_client(without_pool()).build().unwrap();
    let mut points = 0;
    for operation in OPERATIONS {
        let dropped = drop_everywhere(&world, &client, operation).await;
        assert!(dropped >= 4, "{operation} ended after {dropped} polls");
        points += dropped;
    }
    println!("{} operations, dropped at {points} points", OPERATIONS.len());
}

#[tokio::test]
async fn connecting_can_be_dropped_at_any_point() {
    let emulator = Emulator::start().await.unwrap();
    let relay = Relay::to(emulator.url(), 5).await;
    for polls in 0..MOST_POLLS {
        let connected = cut(Client::connect(relay.url()), polls).await.map(Result::unwrap);
        if let Some(client) = connected {
            assert!(polls >= 4, "it ended after {polls} polls");
            within(client.health()).await.unwrap();
            return;
        }
        relay.closed().await;
    }
    panic!("it does not end");
}

#[tokio::test]
async fn a_connection_goes_back_to_the_pool_only_when_its_exchange_was_over() {
    let world = World::start().await;
    let mut struck = 0;
    for operation in [
        "health",
        "auth validate",
        "run",
        "stream read",
        "session page",
        "agent send",
    ] {
        for silence in 0..4 {
            let (id, _) = world.prepare(operation).await;
            // One connection is all that such a client has.
            let token = Token::new(world.access_token().await).unwrap();
            let client = Client::builder(world.relay.url()).token(token).build().unwrap();
            let hold = Hold::new();
            world.emulator.inject(match silence {
                0 => Fault::silence_before_executing(),
                1 => Fault::silence_after_executing(),
                2 => Fault::delay_headers(&hold),
                _ => Fault::delay_body(&hold),
            });
            struck += 1;
            let silent = world.emulator.wait_for(|stats| stats.faults == struck);
            cut_when(World::call(&client, operation, &id), silent).await;
            world.relay.closed().await;
            world.emulator.clear_faults();
            within(client.claude_status()).await.unwrap();
            drop(client);
            world.relay.closed().await;
        }
    }
}

#[tokio::test]
async fn a_renewal_that_is_dropped_at_any_point_is_taken_over_by_the_next_call() {
    let world = World::start().await;
    // Without a token, and with one that the server has come to refuse.
    for age in [None, Some(LIFE)] {
        let mut points = 0;
        loop {
            let client = world.builder().http_client(without_pool()).build().unwrap();
            if let Some(age) = age {
                within(client.claude_status()).await.unwrap();
                world.emulator.advance_clock(age);
            }
            let ended = cut(client.claude_status(), points).await;
            world.relay.closed().await;
            // All at once, so that one left waiting for the one that was dropped would show.
            let next = within(join_all(
                (0..3).map(|_| async { client.claude_status().await.map(drop) }),
            ))
            .await;
            assert!(next.iter().all(Result::is_ok), "after {points} polls: {next:?}");
            if ended.is_some() {
                break;
            }
            points += 1;
            assert!(points < MOST_POLLS);
        }
        assert!(points >= 8, "it ended after {points} polls");
    }
}

/// Says when a call begins to wait for its next attempt.
#[derive(Clone, Default)]
struct Retries(Arc<Notify>);

impl Hook for Retries {
    fn on_retry(&self, _retry: &RetryEvent) {
        self.0.notify_one();
    }
}

#[tokio::test]
async fn a_call_that_is_dropped_between_two_attempts_has_no_connection_and_sends_no_more() {
    let emulator = Emulator::start().await.unwrap();
    let relay = Relay::to(emulator.url(), 50).await;
    let retries = Retries::default();
    let long = Duration::from_secs(3600);
    let client = Client::builder(relay.url())
        .retry(RetryPolicy::default().max_retry_after(long * 2))
        .timeouts(Timeouts::default().quick(long * 2).run(long * 2))
        .hook(retries.clone())
        .http_client(without_pool())
        .build()
        .unwrap();
    let busy = emulator.inject(Fault::status(429).header("Retry-After", "3600").times(3));
    for call in 1..=3 {
        let reached = retries.0.notified();
        match call {
            1 => cut_when(client.health(), reached).await,
            2 => cut_when(client.run("hi"), reached).await,
            _ => cut_when(client.agents().spawn(AgentRequest::new()), reached).await,
        }
        relay.closed().await;
        assert_eq!(busy.fired(), call as u64);
    }
    within(client.run("hi")).await.unwrap();
    assert_eq!((emulator.executions(), emulator.requests().len()), (1, 4));
}

#[tokio::test]
async fn a_wait_that_is_dropped_between_two_polls_leaves_the_job_alone() {
    let emulator = Emulator::start().await.unwrap();
    let relay = Relay::to(emulator.url(), 50).await;
    let client = Client::builder(relay.url())
        .http_client(without_pool())
        .build()
        .unwrap();
    let hold = emulator.on_prompt("held").reply("done").hold();
    let job = within(client.start("held")).await.unwrap();
    for polls in 0..60 {
        assert!(cut(job.wait_with(often()), polls).await.is_none(), "it is held");
        relay.closed().await;
    }
    hold.release();
    assert_eq!(within(job.wait()).await.unwrap().output.as_deref(), Some("done"));
    assert_eq!((emulator.executions(), emulator.stopped()), (1, 0));
}

#[tokio::test]
async fn a_run_that_is_dropped_while_the_server_works_on_it_ends_there() {
    let emulator = Emulator::start().await.unwrap();
    let relay = Relay::to(emulator.url(), 50).await;
    let client = Client::new(relay.url()).unwrap();
    let _hold = emulator.on_prompt("held").lines(["one", "two"]).hold_after(1);
    for stopped in 1..=4 {
        let began = emulator.wait_for(|stats| stats.executions == stopped);
        if stopped % 2 == 0 {
            cut_when(client.run("held"), began).await;
        } else {
            let mut run = within(client.stream("held")).await.unwrap();
            within(run.try_next()).await.unwrap().unwrap();
            assert!(cut(run.try_next(), 1).await.is_none(), "it is held");
            drop(run);
        }
        // The client lives on, and has closed this connection nevertheless.
        relay.closed().await;
        within(emulator.wait_for(|stats| stats.stopped == stopped)).await;
    }
}
