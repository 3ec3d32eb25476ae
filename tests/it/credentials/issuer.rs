//! A server with authentication (WIRE §3): it hands out tokens, and lets nobody in without one.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::{Value, json};
use stromboli::{Client, ClientBuilder, Credentials, RetryPolicy};

use crate::support::{COMPLETED, Reply, Request, Server};

pub(super) const API_TOKEN: &str = "the-api-token";
/// What a server gives an access token by default, in seconds.
pub(super) const DAY: i64 = 86_400;

/// How a token endpoint behaves.
#[derive(Clone, Copy, Default, PartialEq)]
pub(super) enum Endpoint {
    #[default]
    Works,
    /// Gives out tokens that the server does not accept.
    GivesWorthless,
    /// Refuses as a server does that knows neither token.
    Refuses,
    /// Cannot serve now.
    IsDown,
    /// Reads and says nothing.
    IsSilent,
}

/// What the server knows, and how it behaves.
pub(super) struct State {
    pub(super) token: Endpoint,
    pub(super) refresh: Endpoint,
    pub(super) expires_in: i64,
    issued: usize,
    access: HashSet<String>,
    refreshes: HashSet<String>,
}

impl State {
    /// What was issued is worth nothing any more, as after a restart with another secret.
    pub(super) fn revoke_all(&mut self) {
        self.access.clear();
        self.refreshes.clear();
    }

    /// As after a logout of every client: refresh tokens stay good.
    pub(super) fn revoke_access(&mut self) {
        self.access.clear();
    }

    fn issue(&mut self, worth: bool) -> Reply {
        self.issued += 1;
        let (access, refresh) = (format!("access-{}", self.issued), format!("refresh-{}", self.issued));
        if worth {
            self.access.insert(access.clone());
        }
        self.refreshes.insert(refresh.clone());
        let pair = json!({"access_token": access, "refresh_token": refresh, "token_type": "bearer",
            "expires_in": self.expires_in});
        Reply::new(200).json(pair.to_string())
    }

    fn answer(&mut self, request: &Request) -> Vec<u8> {
        let refused = |text: &str| Reply::new(401).json(json!({"error": text}).to_string());
        let bearer = request.header("authorization").unwrap_or_default();
        let bearer = bearer.strip_prefix("Bearer ").unwrap_or_default();
        let is_known = bearer == API_TOKEN || self.access.contains(bearer);
        let behaviour = match request.path() {
            "/auth/token" => self.token,
            "/auth/refresh" => self.refresh,
            _ => Endpoint::Works,
        };
        let reply = match (request.path(), behaviour) {
            (_, Endpoint::IsSilent) => return Vec::new(),
            (_, Endpoint::IsDown) => Reply::new(503).json(r#"{"error":"auth backend unavailable"}"#),
            (_, Endpoint::Refuses) => refused("invalid or expired token"),
            ("/auth/refresh", _) => {
                let body: Value = serde_json::from_slice(&request.body).unwrap();
                match self.refreshes.contains(body["refresh_token"].as_str().unwrap()) {
                    true => self.issue(behaviour == Endpoint::Works),
                    false => refused("invalid or expired refresh token"),
                }
            }
            _ if bearer.is_empty() => refused("missing authorization header"),
            _ if !is_known => refused("invalid or expired token"),
            ("/auth/token", _) => self.issue(behaviour == Endpoint::Works),
            ("/run", _) => Reply::new(200).json(COMPLETED),
            _ => Reply::new(200).json(r#"{"configured":true,"message":"Claude is configured"}"#),
        };
        reply.bytes()
    }
}

pub(super) struct Issuer {
    pub(super) server: Server,
    state: Arc<Mutex<State>>,
}

impl Issuer {
    pub(super) async fn start() -> Self {
        let state = Arc::new(Mutex::new(State {
            token: Endpoint::Works,
            refresh: Endpoint::Works,
            expires_in: DAY,
            issued: 0,
            access: HashSet::new(),
            refreshes: HashSet::new(),
        }));
        let answering = Arc::clone(&state);
        let server = Server::answering(move |request| answering.lock().unwrap().answer(request)).await;
        Self { server, state }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// A client of it that obtains its tokens, and does not wait between attempts.
    pub(super) fn builder(&self) -> ClientBuilder {
        Client::builder(self.server.url())
            .credentials(Credentials::client_id("ci", API_TOKEN).unwrap())
            .retry(RetryPolicy::default().base_delay(std::time::Duration::ZERO))
    }

    pub(super) fn client(&self) -> Client {
        self.builder().build().unwrap()
    }

    /// The paths of all requests so far.
    pub(super) fn paths(&self) -> Vec<String> {
        self.server.requests().iter().map(|r| r.path().to_owned()).collect()
    }

    /// Requests to `path` so far.
    pub(super) fn count(&self, path: &str) -> usize {
        self.server.requests().iter().filter(|r| r.path() == path).count()
    }

    /// The tokens of the requests to `path`, in the order of their arrival.
    pub(super) fn tokens(&self, path: &str) -> Vec<String> {
        let requests = self.server.requests();
        let of_path = requests.iter().filter(|r| r.path() == path);
        of_path
            .map(|r| r.header("authorization").unwrap_or("none").replace("Bearer ", ""))
            .collect()
    }
}
