//! URLs: an id stays one segment of its path and a prompt one value of the query, below whatever base URL, and a base URL
//! that cannot be one is refused.
//!
//! Input: a line for the base URL, a line for an id, and a prompt.
#![no_main]

use std::cell::RefCell;
use std::sync::{Arc, Mutex};

use libfuzzer_sys::fuzz_target;
use reqwest::{Request, Url};
use stromboli::{Client, ErrorKind, Token, TokenFuture, TokenSource};
use stromboli_generated::{ClientInfo, ResponseFuture, Transport};
use tokio::runtime::{Builder, Runtime};

thread_local! {
    static RUNTIME: RefCell<Runtime> =
        RefCell::new(Builder::new_current_thread().enable_time().build().expect("a runtime without IO"));
    static HTTP: reqwest::Client = reqwest::Client::builder().no_proxy().build().expect("a client without TLS");
}

fuzz_target!(|input: &str| {
    let mut lines = input.splitn(3, '\n');
    let mut line = || lines.next().unwrap_or_default();
    let (base, id, prompt) = (line(), line(), line());
    RUNTIME.with_borrow(|runtime| runtime.block_on(check(base, id, prompt)));
});

async fn check(base: &str, id: &str, prompt: &str) {
    let http = HTTP.with(Clone::clone);
    let client = match Client::builder(base)
        .http_client(http.clone())
        .token_source(NoToken)
        .build()
    {
        Ok(client) => client,
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(!is_base(base), "{error}");
            return;
        }
    };
    assert!(is_base(base));
    let base = Url::parse(base.trim()).expect("it was taken");
    let below = client.raw().baseurl();
    assert!(!below.ends_with('/') && base.as_str().trim_end_matches('/') == below);

    // Ids that URLs take for steps would lead to another operation; these are refused, and no others.
    let refused = matches!(id, "" | "." | "..");
    let error = client.job(id).get().await.expect_err("there is no token");
    assert_eq!(error.kind() == ErrorKind::InvalidInput, refused, "{error}");

    let seen = Seen::default();
    let raw = stromboli_generated::Client::new_with_client(below, http, Arc::new(seen.clone()));
    if !refused {
        let _ = raw.session_message(id, id).await;
        let url = seen.take();
        assert_eq!((url.origin(), url.query(), url.fragment()), (base.origin(), None, None));
        let path = url
            .path()
            .strip_prefix(base.path().trim_end_matches('/'))
            .expect("it is below the base");
        let segments: Vec<&str> = path.split('/').collect();
        match segments[..] {
            ["", "sessions", first, "messages", second] => {
                assert_eq!((decoded(first), decoded(second)), (id.to_owned(), id.to_owned()));
            }
            _ => panic!("{url}"),
        }
    }

    let _ = raw.run_stream(prompt, Some(id), None).await;
    let url = seen.take();
    assert_eq!((url.origin(), url.fragment()), (base.origin(), None));
    assert!(url.path().ends_with("/run/stream"));
    let values: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    assert_eq!(
        values,
        [
            ("prompt".to_owned(), prompt.to_owned()),
            ("session_id".to_owned(), id.to_owned())
        ]
    );
}

/// Whether a base URL is one, by what the builder promises.
fn is_base(text: &str) -> bool {
    Url::parse(text.trim()).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && (url.username(), url.password(), url.query(), url.fragment()) == ("", None, None, None)
    })
}

fn decoded(segment: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = segment.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        match (first, after) {
            (b'%', [high, low, after @ ..]) => {
                let digit = |digit: u8| char::from(digit).to_digit(16).expect("a digit");
                bytes.push(u8::try_from(digit(*high) * 16 + digit(*low)).expect("two digits"));
                rest = after;
            }
            _ => bytes.push(*first),
        }
    }
    String::from_utf8(bytes).expect("an id is text")
}

/// Keeps the URL of the last request, and sends nothing.
#[derive(Clone, Debug, Default)]
struct Seen(Arc<Mutex<Option<Url>>>);

impl Seen {
    fn take(&self) -> Url {
        self.0.lock().expect("one thread").take().expect("a request was built")
    }
}

impl Transport for Seen {
    fn execute(&self, request: Request, _operation_id: &'static str) -> ResponseFuture<'_> {
        *self.0.lock().expect("one thread") = Some(request.url().clone());
        let mut response = http::Response::new(Vec::new());
        *response.status_mut() = reqwest::StatusCode::NOT_FOUND;
        Box::pin(async { Ok(reqwest::Response::from(response).into()) })
    }
}

/// Ends a call before anything is sent.
struct NoToken;

impl TokenSource for NoToken {
    fn token<'a>(&'a self, _rejected: Option<&'a Token>) -> TokenFuture<'a> {
        Box::pin(async { Err("none".into()) })
    }
}
