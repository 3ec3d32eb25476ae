//! Tokens that obtain and renew themselves, and those of one's own source.
//!
//! The age of a token is moved on by the clock of the runtime, between calls: nothing sleeps, and nothing is close.

mod issuer;

use std::time::Duration;

use futures_util::future::join_all;
use issuer::{API_TOKEN, DAY, Endpoint, Issuer};
use serde_json::Value;
use stromboli::{Client, Error, ErrorKind, RequestOptions, RetryPolicy, Timeouts};

use crate::support::{SHORT, within};

const STATUS: &str = "/claude/status";

/// Makes everything older by this share of a day, the life of a token.
async fn pass(share_of_a_day: f64) {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs_f64(DAY as f64 * share_of_a_day)).await;
    tokio::time::resume();
}

/// So many calls at the same time.
async fn calls(client: &Client, number: usize) -> Vec<Result<(), Error>> {
    let calls = (0..number).map(|_| async { client.claude_status().await.map(drop) });
    within(join_all(calls)).await
}

async fn call(client: &Client) -> Result<(), Error> {
    within(client.claude_status()).await.map(drop)
}

#[tokio::test]
async fn the_first_call_obtains_a_token_and_the_next_use_it() {
    let issuer = Issuer::start().await;
    let client = issuer.client();
    assert_eq!(issuer.server.connections(), 0, "nothing is sent before the first call");
    for _ in 0..3 {
        call(&client).await.unwrap();
    }
    assert_eq!(issuer.paths(), ["/auth/token", STATUS, STATUS, STATUS]);
    assert_eq!(issuer.tokens("/auth/token"), [API_TOKEN]);
    assert_eq!(issuer.tokens(STATUS), ["access-1"; 3]);
    let body: Value = serde_json::from_slice(&issuer.server.requests()[0].body).unwrap();
    assert_eq!(body, serde_json::json!({"client_id": "ci"}));
}

#[tokio::test]
async fn a_hundred_calls_at_once_obtain_one_token() {
    let issuer = Issuer::start().await;
    let client = issuer.client();
    assert!(calls(&client, 100).await.iter().all(Result::is_ok));
    assert_eq!((issuer.count("/auth/token"), issuer.count(STATUS)), (1, 100));
}

#[tokio::test]
async fn clones_and_other_options_share_the_token() {
    let issuer = Issuer::start().await;
    let client = issuer.client();
    call(&client.clone()).await.unwrap();
    call(&client.with_options(RequestOptions::new().retries(0)))
        .await
        .unwrap();
    within(client.raw().claude_status()).await.unwrap();
    assert_eq!((issuer.count("/auth/token"), issuer.count(STATUS)), (1, 3));
}

#[tokio::test]
async fn an_old_token_is_renewed_once_with_the_refresh_token() {
    let issuer = Issuer::start().await;
    let client = issuer.client();
    call(&client).await.unwrap();
    pass(0.7).await;
    call(&client).await.unwrap();
    assert_eq!(issuer.count("/auth/refresh"), 0, "it is not old yet");
    pass(0.15).await;
    assert!(calls(&client, 100).await.iter().all(Result::is_ok));
    assert_eq!((issuer.count("/auth/refresh"), issuer.count("/auth/token")), (1, 1));
    assert_eq!(
        issuer.tokens("/auth/refresh"),
        ["none"],
        "the endpoint needs no other token"
    );
    call(&client).await.unwrap();
    assert_eq!(issuer.tokens(STATUS).last().unwrap(), "access-2");
}

#[tokio::test]
async fn an_old_token_serves_when_its_renewal_fails_and_is_not_renewed_again_at_once() {
    for (refresh, token) in [
        (Endpoint::Refuses, Endpoint::Refuses),
        (Endpoint::IsDown, Endpoint::IsDown),
    ] {
        let issuer = Issuer::start().await;
        let client = issuer.client();
        call(&client).await.unwrap();
        (issuer.state().refresh, issuer.state().token) = (refresh, token);
        pass(0.85).await;
        call(&client).await.unwrap();
        let tried = issuer.count("/auth/refresh");
        assert!(tried >= 1);
        for _ in 0..10 {
            call(&client).await.unwrap();
        }
        assert_eq!(issuer.count("/auth/refresh"), tried);
        assert_eq!(issuer.tokens(STATUS), ["access-1"; 12]);

        // A little later it is tried again.
        (issuer.state().refresh, issuer.state().token) = (Endpoint::Works, Endpoint::Works);
        pass(0.01).await;
        call(&client).await.unwrap();
        assert_eq!(issuer.tokens(STATUS).last().unwrap(), "access-2");
    }
}

#[tokio::test]
async fn nobody_waits_for_the_renewal_of_a_token_that_is_still_good() {
    let issuer = Issuer::start().await;
    let client = issuer.client();
    call(&client).await.unwrap();
    issuer.state().refresh = Endpoint::IsSilent;
    pass(0.85).await;
    let renewing = client.clone();
    let renewing = tokio::spawn(async move { call(&renewing).await });
    issuer.server.wait_for(|seen| seen.requests == 3).await;
    assert!(calls(&client, 10).await.iter().all(Result::is_ok));
    assert_eq!(issuer.tokens(STATUS), ["access-1"; 11]);
    // Nor does the call that renews it, for long: 8.64 seconds are less than the call has.
    pass(0.0001).await;
    within(renewing).await.unwrap().unwrap();
    assert_eq!(issuer.tokens(STATUS), ["access-1"; 12]);
}

#[tokio::test]
async fn a_token_near_its_end_is_renewed_before_it_is_used() {
    let issuer = Issuer::start().await;
    let client = issuer.client();
    call(&client).await.unwrap();
    pass(0.97).await;
    assert!(calls(&client, 100).await.iter().all(Result::is_ok));
    assert_eq!((issuer.count("/auth/refresh"), issuer.count("/auth/token")), (1, 1));
    assert_eq!(issuer.tokens(STATUS)[1..], vec!["access-2"; 100]);
}

#[tokio::test]
async fn a_token_near_its_end_that_cannot_be_renewed_is_an_error() {
    let issuer = Issuer::start().await;
    let client = issuer.client();
    call(&client).await.unwrap();
    (issuer.state().refresh, issuer.state().token) = (Endpoint::IsDown, Endpoint::IsDown);
    pass(0.97).await;
    let error = call(&client).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Unavailable, 0));
    assert_eq!(issuer.count(STATUS), 1);
}

#[tokio::test]
async fn a_refused_refresh_token_is_replaced_with_the_api_token() {
    let issuer = Issuer::start().await;
    let client = issuer.client();
    call(&client).await.unwrap();
    issuer.state().revoke_all();
    pass(0.97).await;
    call(&client).await.unwrap();
    assert_eq!((issuer.count("/auth/refresh"), issuer.count("/auth/token")), (1, 2));
    assert_eq!(issuer.tokens(STATUS), ["access-1", "access-2"]);
}

#[tokio::test]
async fn a_token_that_the_server_refuses_is_renewed_and_the_call_is_sent_again() {
    for policy in [RetryPolicy::default(), RetryPolicy::never()] {
        let issuer = Issuer::start().await;
        let client = issuer.builder().retry(policy).build().unwrap();
        call(&client).await.unwrap();
        issuer.state().revoke_access();
        // A 401 comes before anything is run, so a run can be sent again as well.
        within(client.run("hi")).await.unwrap();
        assert_eq!((issuer.count("/auth/refresh"), issuer.count("/auth/token")), (1, 1));
        assert_eq!(issuer.tokens("/run"), ["access-1", "access-2"]);
    }
}

#[tokio::test]
async fn a_hundred_calls_with_a_refused_token_renew_it_once() {
    let issuer = Issuer::start().await;
    let client = issuer.client();
    call(&client).await.unwrap();
    issuer.state().revoke_all();
    assert!(calls(&client, 100).await.iter().all(Result::is_ok));
    assert_eq!((issuer.count("/auth/refresh"), issuer.count("/auth/token")), (1, 2));
}

#[tokio::test]
async fn a_second_refusal_is_an_error() {
    let issuer = Issuer::start().await;
    let client = issuer.client();
    call(&client).await.unwrap();
    // The refused API token cannot renew anything.
    issuer.state().revoke_all();
    issuer.state().token = Endpoint::Refuses;
    let error = within(client.run("hi")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert_eq!((error.attempts(), error.may_have_executed()), (1, false), "{error:?}");
    assert!(error.to_string().starts_with("auth_token failed"), "{error}");
    assert_eq!(issuer.tokens("/run"), ["access-1"]);
}

#[tokio::test]
async fn a_token_that_is_never_accepted_is_replaced_only_once_in_a_call() {
    let issuer = Issuer::start().await;
    let client = issuer.client();
    (issuer.state().token, issuer.state().refresh) = (Endpoint::GivesWorthless, Endpoint::GivesWorthless);
    let error = within(client.run("hi")).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Unauthorized, 2));
    assert!(!error.may_have_executed());
    assert_eq!(issuer.paths(), ["/auth/token", "/run", "/auth/refresh", "/run"]);
}

#[tokio::test]
async fn a_life_that_cannot_be_is_no_trouble() {
    for expires_in in [0, -1, i64::MIN] {
        let issuer = Issuer::start().await;
        issuer.state().expires_in = expires_in;
        let error = within(issuer.client().run("hi")).await.unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::Unauthorized, 0));
        assert!(error.to_string().contains("expires at once"), "{error}");
        assert_eq!((issuer.count("/auth/token"), issuer.count("/run")), (1, 0));
    }
    let issuer = Issuer::start().await;
    issuer.state().expires_in = i64::MAX;
    let client = issuer.client();
    call(&client).await.unwrap();
    pass(10.0).await;
    call(&client).await.unwrap();
    assert_eq!((issuer.count("/auth/token"), issuer.count("/auth/refresh")), (1, 0));
    // None is taken for good for ever.
    pass(400.0).await;
    call(&client).await.unwrap();
    assert_eq!((issuer.count("/auth/token"), issuer.count("/auth/refresh")), (1, 1));
}

#[tokio::test]
async fn a_token_endpoint_that_fails_is_an_error_and_nothing_else_is_sent() {
    for (token, kind, requests) in [
        (Endpoint::Refuses, ErrorKind::Unauthorized, 1),
        (Endpoint::IsDown, ErrorKind::Unavailable, 3),
    ] {
        let issuer = Issuer::start().await;
        issuer.state().token = token;
        let error = within(issuer.client().run("hi")).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.attempts(), error.may_have_executed()),
            (kind, 0, false)
        );
        assert!(
            error.to_string().starts_with("auth_token failed with status"),
            "{error}"
        );
        assert_eq!((issuer.count("/auth/token"), issuer.count("/run")), (requests, 0));
    }
}

#[tokio::test]
async fn a_call_waits_for_its_token_no_longer_than_for_its_response() {
    let issuer = Issuer::start().await;
    issuer.state().token = Endpoint::IsSilent;
    // Obtaining a token is a call of its own, with the time of its class.
    let patient = Timeouts::default().quick(Duration::from_secs(3600));
    let client = issuer.builder().timeouts(patient).build().unwrap();
    let client = client.with_options(RequestOptions::new().timeout(SHORT));
    let error = within(client.run("hi")).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.attempts(), error.may_have_executed()),
        (ErrorKind::Timeout, 0, false)
    );
    assert_eq!(issuer.count("/run"), 0);
}

#[tokio::test]
async fn a_call_that_is_dropped_while_it_renews_holds_up_nobody() {
    let issuer = Issuer::start().await;
    let client = issuer.client();
    for age in [0.0, 0.85, 0.97] {
        // Without a token, with an old one, and with one near its end.
        pass(age).await;
        let before = issuer.server.requests().len();
        (issuer.state().token, issuer.state().refresh) = (Endpoint::IsSilent, Endpoint::IsSilent);
        let renewing = client.clone();
        let renewing = tokio::spawn(async move { call(&renewing).await });
        issuer.server.wait_for(|seen| seen.requests > before).await;
        renewing.abort();
        assert!(renewing.await.unwrap_err().is_cancelled());
        (issuer.state().token, issuer.state().refresh) = (Endpoint::Works, Endpoint::Works);
        assert!(calls(&client, 10).await.iter().all(Result::is_ok));
    }
}

#[tokio::test]
async fn a_hundred_calls_fail_with_one_failed_renewal() {
    let issuer = Issuer::start().await;
    issuer.state().token = Endpoint::IsDown;
    let client = issuer.builder().retry(RetryPolicy::never()).build().unwrap();
    let failed = calls(&client, 100).await;
    assert!(
        failed
            .iter()
            .all(|call| call.as_ref().is_err_and(|e| e.kind() == ErrorKind::Unavailable))
    );
    assert_eq!((issuer.count("/auth/token"), issuer.count(STATUS)), (1, 0));
    issuer.state().token = Endpoint::Works;
    call(&client).await.unwrap();
}

#[tokio::test]
async fn a_hundred_calls_fail_with_one_token_that_expires_at_once() {
    let issuer = Issuer::start().await;
    issuer.state().expires_in = 0;
    let failed = calls(&issuer.client(), 100).await;
    assert!(
        failed
            .iter()
            .all(|call| call.as_ref().is_err_and(Error::is_unauthorized))
    );
    assert_eq!((issuer.count("/auth/token"), issuer.count(STATUS)), (1, 0));
}

#[tokio::test]
async fn a_refresh_that_is_never_answered_stands_in_the_way_only_once() {
    let issuer = Issuer::start().await;
    let client = issuer.client();
    call(&client).await.unwrap();
    pass(0.97).await;
    issuer.state().refresh = Endpoint::IsSilent;
    for _ in 0..2 {
        call(&client).await.unwrap();
    }
    assert_eq!((issuer.count("/auth/refresh"), issuer.count("/auth/token")), (1, 2));
}
