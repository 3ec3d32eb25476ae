//! Each call is one span with OpenTelemetry's names for HTTP, and nothing secret is in any span or event.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use stromboli::{Client, ClientBuilder, Credentials, RequestOptions, RetryPolicy, RunRequest, Token};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Dispatch, Event, Metadata, Subscriber};

use crate::support::{COMPLETED, DONE, HEALTHY, PAUSE, Reply, SHORT, Server, Step, deaf_port, within};

type Fields = BTreeMap<String, String>;

/// Keeps all spans and events of the thread. It knows no current span, so that one which is to be written to has to be
/// named.
#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<Recorded>>);

#[derive(Default)]
struct Recorded {
    /// Of every span, its name and its fields.
    spans: Vec<(&'static str, Fields)>,
    /// How many of them a test has looked at.
    looked_at: usize,
    events: Vec<Fields>,
}

/// While there is only one subscriber, whoever comes to a span first decides for all threads whether it is of interest,
/// and the threads of other tests have none. So there are always more.
static OTHERS: LazyLock<[Dispatch; 2]> = LazyLock::new(|| [(); 2].map(|()| Dispatch::new(Recorder::default())));

impl Recorder {
    fn start() -> (Self, tracing::subscriber::DefaultGuard) {
        LazyLock::force(&OTHERS);
        let recorder = Self::default();
        let guard = tracing::subscriber::set_default(recorder.clone());
        (recorder, guard)
    }

    /// The fields of the calls since the last time.
    fn calls(&self) -> Vec<Fields> {
        let mut recorded = self.0.lock().unwrap();
        let new = &recorded.spans[recorded.looked_at..];
        let calls = new.iter().filter(|(name, _)| *name == "stromboli.call");
        let calls = calls.map(|(_, fields)| fields.clone()).collect();
        recorded.looked_at = recorded.spans.len();
        calls
    }

    /// The fields of the one call since the last time.
    fn call(&self) -> Fields {
        let mut calls = self.calls();
        assert_eq!(calls.len(), 1, "{calls:?}");
        calls.remove(0)
    }
}

impl Subscriber for Recorder {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut recorded = self.0.lock().unwrap();
        let mut fields = Texts::default();
        span.record(&mut fields);
        recorded.spans.push((span.metadata().name(), fields.0));
        Id::from_u64(recorded.spans.len() as u64)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        let mut fields = Texts::default();
        values.record(&mut fields);
        let mut recorded = self.0.lock().unwrap();
        recorded.spans[span.into_u64() as usize - 1].1.extend(fields.0);
    }

    fn event(&self, event: &Event<'_>) {
        let mut fields = Texts::default();
        event.record(&mut fields);
        self.0.lock().unwrap().events.push(fields.0);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// The values of fields as texts.
#[derive(Default)]
struct Texts(Fields);

impl Visit for Texts {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }
}

fn builder(url: &str) -> ClientBuilder {
    Client::builder(url).retry(RetryPolicy::default().base_delay(Duration::ZERO))
}

fn fields(pairs: &[(&str, &str)]) -> Fields {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    pairs.iter().map(owned).collect()
}

#[tokio::test]
async fn a_call_is_one_span_with_the_names_of_open_telemetry() {
    let server = Server::answering(|_| Reply::new(200).json(HEALTHY).bytes()).await;
    let port = server.url().rsplit(':').next().unwrap().to_owned();
    let (recorder, _guard) = Recorder::start();
    within(builder(server.url()).build().unwrap().health()).await.unwrap();
    let expected = fields(&[
        ("otel.kind", "client"),
        ("otel.name", "health"),
        ("http.request.method", "GET"),
        ("url.template", "/health"),
        ("server.address", "127.0.0.1"),
        ("server.port", &port),
        ("http.response.status_code", "200"),
    ]);
    assert_eq!(recorder.call(), expected);
}

#[tokio::test]
async fn a_span_says_how_often_its_call_was_sent_again() {
    let busy = vec![Step::Read, Step::Send(Reply::new(429).closing())];
    let lost = vec![Step::Read, Step::Reset];
    let done = Reply::new(200).json(r#"{"cancelled":true,"job_id":"job-1"}"#);
    let server = Server::each([busy, lost, vec![Step::Read, Step::Send(done.closing())]]).await;
    let (recorder, _guard) = Recorder::start();
    within(builder(server.url()).build().unwrap().job("job-1").cancel())
        .await
        .unwrap();
    let call = recorder.call();
    assert_eq!(call["http.request.resend_count"], "2");
    assert_eq!(call["http.request.method"], "DELETE");
    assert_eq!(call["url.template"], "/jobs/{id}");
    assert_eq!(call["http.response.status_code"], "200");
    assert!(!call.contains_key("error.type"), "{call:?}");
}

#[tokio::test]
async fn a_span_says_what_kind_of_error_its_call_came_to() {
    let half = Step::Send(Reply::new(200).json(HEALTHY).cut(3));
    let (recorder, _guard) = Recorder::start();
    for (steps, status, error) in [
        (
            vec![Step::Read, Step::Send(Reply::new(404).closing())],
            Some("404"),
            "404",
        ),
        (
            vec![Step::Read, Step::Send(Reply::new(503).closing())],
            Some("503"),
            "503",
        ),
        (vec![Step::Read, Step::Reset], None, "CONNECTION"),
        (vec![Step::Read, Step::UntilClosed], None, "TIMEOUT"),
        (vec![Step::Read, half.clone()], Some("200"), "TRUNCATED"),
        (vec![Step::Read, half, Step::UntilClosed], Some("200"), "TIMEOUT"),
    ] {
        for retries in [0, 1] {
            let server = Server::script(steps.clone()).await;
            let client = builder(server.url()).build().unwrap();
            let client = client.with_options(RequestOptions::new().timeout(PAUSE).retries(retries));
            within(client.health()).await.unwrap_err();
            let call = recorder.call();
            assert_eq!(call["error.type"], error, "{retries}: {call:?}");
            assert_eq!(call.get("http.response.status_code").map(String::as_str), status);
        }
    }
    let (_socket, url) = deaf_port();
    for retries in [0, 1] {
        let client = builder(&url)
            .build()
            .unwrap()
            .with_options(RequestOptions::new().retries(retries));
        within(client.run("hi")).await.unwrap_err();
        assert_eq!(recorder.call()["error.type"], "CONNECT");
    }
}

#[tokio::test]
async fn a_stream_that_does_not_open_and_a_token_that_is_not_there_are_kinds_of_error_too() {
    let silent = Server::script([Step::Read, Step::UntilClosed]).await;
    let (recorder, _guard) = Recorder::start();
    let impatient = RequestOptions::new().timeout(SHORT);
    within(
        builder(silent.url())
            .build()
            .unwrap()
            .with_options(impatient)
            .stream("hi"),
    )
    .await
    .unwrap_err();
    let call = recorder.call();
    assert_eq!(
        (call["error.type"].as_str(), call["url.template"].as_str()),
        ("TIMEOUT", "/run/stream")
    );

    let refusing = Server::answering(|_| Reply::new(401).json(r#"{"error":"x"}"#).bytes()).await;
    let credentials = Credentials::client_id("ci", "abc").unwrap();
    let client = builder(refusing.url()).credentials(credentials).build().unwrap();
    within(client.run("hi")).await.unwrap_err();
    let [run, token] = recorder.calls().try_into().unwrap();
    assert_eq!(
        (run["otel.name"].as_str(), run["error.type"].as_str()),
        ("run_sync", "UNAUTHORIZED")
    );
    assert_eq!(
        (token["otel.name"].as_str(), token["error.type"].as_str()),
        ("auth_token", "401")
    );
}

#[tokio::test]
async fn no_span_and_no_event_holds_a_secret() {
    const SECRET: &str = "topsecret";
    let tokens = format!(
        r#"{{"access_token":"{SECRET}-a","refresh_token":"{SECRET}-r","token_type":"bearer","expires_in":60}}"#
    );
    let server = Server::answering(move |request| match request.path() {
        "/auth/token" => Reply::new(200).json(tokens.clone()).bytes(),
        "/run" => Reply::new(200).json(COMPLETED.replace("pong", SECRET)).bytes(),
        "/run/stream" => Reply::new(200)
            .body("text/event-stream", format!("data: {SECRET}\n\n{DONE}"))
            .bytes(),
        _ => Reply::new(503)
            .header("X-Echo", SECRET)
            .json(format!(r#"{{"error":"{SECRET}"}}"#))
            .bytes(),
    })
    .await;
    let (_socket, deaf) = deaf_port();
    let (recorder, _guard) = Recorder::start();
    for url in [server.url(), &deaf] {
        for builder in [
            builder(url).token(Token::new(SECRET).unwrap()),
            builder(url).credentials(Credentials::client_id("ci", SECRET).unwrap()),
        ] {
            let client = builder.build().unwrap();
            let options = RequestOptions::new()
                .header("x-key", SECRET)
                .unwrap()
                .request_id(SECRET)
                .unwrap();
            let client = client.with_options(options);
            let _ = within(client.run(RunRequest::new(SECRET).workdir(SECRET))).await;
            let _ = within(client.start(SECRET)).await;
            if let Ok(run) = within(client.stream(SECRET)).await {
                assert_eq!(within(run.text()).await.unwrap(), SECRET);
            }
            within(client.job(SECRET).get()).await.unwrap_err();
            within(client.job(SECRET).cancel()).await.unwrap_err();
            within(client.raw().session_messages(SECRET, None, None))
                .await
                .unwrap_err();
            let secret = serde_json::from_str(r#"{"name":"topsecret","value":"topsecret"}"#).unwrap();
            within(client.raw().secret_create(&secret)).await.unwrap_err();
            within(client.raw().secret_get(SECRET)).await.unwrap_err();
        }
    }
    let recorded = recorder.0.lock().unwrap();
    assert!(recorded.spans.len() >= 32, "{}", recorded.spans.len());
    let shown = format!("{:?} {:?}", recorded.spans, recorded.events);
    assert!(!shown.contains(SECRET), "{shown}");
    assert!(server.requests().iter().any(|request| request.target.contains(SECRET)));
}
