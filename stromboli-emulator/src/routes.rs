//! The routes: which request goes where. One file per tag below.

mod agents;
mod auth;
mod images;
mod jobs;
mod run;
mod secrets;
mod sessions;
mod stream;
mod system;

use std::sync::Arc;

use axum::http::Method;
use axum::http::request::Parts;
use axum::response::Response;

use crate::dialect::Dialect;
use crate::state::State;

/// How many segments the path of a route has at most.
const MAX_SEGMENTS: usize = 4;

/// A request that the server knows.
pub(crate) enum Route {
    Health,
    Metrics,
    AuthToken,
    AuthRefresh,
    AuthValidate,
    AuthLogout,
    ClaudeStatus,
    Run,
    RunAsync,
    RunStream,
    Jobs,
    Job(String),
    CancelJob(String),
    Sessions,
    DestroySession(String),
    Messages(String),
    /// A session and the `uuid` of a message.
    Message(String, String),
    Secrets,
    CreateSecret,
    Secret(String),
    DeleteSecret(String),
    Images,
    Image(String),
    SearchImages,
    PullImage,
    Agents,
    CreateAgent,
    Agent(String),
    SendAgent(String),
    AgentStream(String),
    StopAgent(String),
}

impl Route {
    /// The route of a decoded path. A table of our own and not a router: the server matches after decoding (so that
    /// `%2F` separates), and knows neither 405 nor a `HEAD` that follows from `GET`.
    pub(crate) fn find(dialect: Dialect, method: &Method, path: &str) -> Option<Self> {
        let mut segments = [""; MAX_SEGMENTS];
        let mut count = 0;
        for segment in path.strip_prefix('/')?.split('/') {
            *segments.get_mut(count)? = segment;
            count += 1;
        }
        let route = match (method, segments.split_at(count).0) {
            (&Method::GET, ["health"]) => Self::Health,
            (&Method::GET, ["metrics"]) => Self::Metrics,
            (&Method::POST, ["auth", "token"]) => Self::AuthToken,
            (&Method::POST, ["auth", "refresh"]) => Self::AuthRefresh,
            (&Method::GET, ["auth", "validate"]) => Self::AuthValidate,
            (&Method::POST, ["auth", "logout"]) => Self::AuthLogout,
            (&Method::GET, ["claude", "status"]) => Self::ClaudeStatus,
            (&Method::POST, ["run"]) => Self::Run,
            (&Method::POST, ["run", "async"]) => Self::RunAsync,
            (&Method::GET, ["run", "stream"]) => Self::RunStream,
            (&Method::GET, ["jobs"]) => Self::Jobs,
            (&Method::GET, ["jobs", id]) if !id.is_empty() => Self::Job((*id).to_owned()),
            (&Method::DELETE, ["jobs", id]) if !id.is_empty() => Self::CancelJob((*id).to_owned()),
            (&Method::GET, ["sessions"]) => Self::Sessions,
            (&Method::DELETE, ["sessions", id]) if !id.is_empty() => Self::DestroySession((*id).to_owned()),
            (&Method::GET, ["sessions", id, "messages"]) if !id.is_empty() => Self::Messages((*id).to_owned()),
            (&Method::GET, ["sessions", id, "messages", uuid]) if !id.is_empty() && !uuid.is_empty() => {
                Self::Message((*id).to_owned(), (*uuid).to_owned())
            }
            (&Method::GET, ["secrets"]) => Self::Secrets,
            (&Method::POST, ["secrets"]) => Self::CreateSecret,
            (&Method::GET, ["secrets", name]) if !name.is_empty() => Self::Secret((*name).to_owned()),
            (&Method::DELETE, ["secrets", name]) if !name.is_empty() => Self::DeleteSecret((*name).to_owned()),
            (&Method::GET, ["images"]) => Self::Images,
            (&Method::GET, ["images", "search"]) => Self::SearchImages,
            (&Method::POST, ["images", "pull"]) => Self::PullImage,
            (&Method::GET, ["images", name]) if !name.is_empty() => Self::Image((*name).to_owned()),
            (&Method::GET, ["agents"]) => Self::Agents,
            (&Method::POST, ["agents"]) => Self::CreateAgent,
            (&Method::GET, ["agents", id]) if !id.is_empty() => Self::Agent((*id).to_owned()),
            (&Method::POST, ["agents", id, "send"]) if !id.is_empty() => Self::SendAgent((*id).to_owned()),
            (&Method::GET, ["agents", id, "stream"]) if !id.is_empty() => Self::AgentStream((*id).to_owned()),
            (&Method::DELETE, ["agents", id]) if !id.is_empty() => Self::StopAgent((*id).to_owned()),
            _ => return None,
        };
        Some(route).filter(|route| route.is_in(dialect))
    }

    /// Whether servers of that release have the route.
    fn is_in(&self, dialect: Dialect) -> bool {
        match self {
            Self::Metrics => dialect == Dialect::V0_4_3,
            Self::Agents
            | Self::CreateAgent
            | Self::Agent(_)
            | Self::SendAgent(_)
            | Self::AgentStream(_)
            | Self::StopAgent(_) => dialect >= Dialect::V0_5_7,
            _ => true,
        }
    }

    /// Whether the route asks for a token when authentication is on.
    pub(crate) fn is_protected(&self) -> bool {
        !matches!(
            self,
            Self::Health | Self::Metrics | Self::AuthRefresh | Self::AuthValidate | Self::AuthLogout
        )
    }

    /// Whether requests to the route are counted when their rate is limited.
    pub(crate) fn is_limited(&self) -> bool {
        self.is_protected() && !matches!(self, Self::AuthToken)
    }

    /// Whether the route reads a body.
    pub(crate) fn has_body(&self) -> bool {
        matches!(
            self,
            Self::Run
                | Self::RunAsync
                | Self::AuthToken
                | Self::AuthRefresh
                | Self::CreateSecret
                | Self::PullImage
                | Self::CreateAgent
                | Self::SendAgent(_)
        )
    }

    pub(crate) async fn answer(self, state: &Arc<State>, parts: &Parts, body: &[u8]) -> Response {
        let query = parts.uri.query().unwrap_or_default();
        let either = |answer: Result<Response, Box<Response>>| answer.unwrap_or_else(|refused| *refused);
        match self {
            Self::Health => system::health(state),
            Self::Metrics => system::metrics(state),
            Self::AuthToken => either(auth::token(state, body)),
            Self::AuthRefresh => either(auth::refresh(state, body)),
            Self::AuthValidate => either(auth::validate(state, &parts.headers)),
            Self::AuthLogout => either(auth::logout(state, &parts.headers)),
            Self::ClaudeStatus => system::claude_status(state),
            Self::Run => run::run(state, body).await,
            Self::RunAsync => run::run_async(state, body),
            // Twice as large as any other, and all have the room of the largest.
            Self::RunStream => Box::pin(stream::stream(state, query)).await,
            Self::Jobs => jobs::list(state),
            Self::Job(id) => jobs::get(state, &id),
            Self::CancelJob(id) => jobs::cancel(state, &id),
            Self::Sessions => sessions::list(state),
            Self::DestroySession(id) => sessions::delete(state, &id),
            Self::Messages(id) => sessions::messages(state, &id, query),
            Self::Message(id, uuid) => sessions::message(state, &id, &uuid),
            Self::Secrets => secrets::list(state),
            Self::CreateSecret => secrets::create(state, body),
            Self::Secret(name) => secrets::get(state, &name),
            Self::DeleteSecret(name) => secrets::delete(state, &name),
            Self::Images => images::list(state),
            Self::Image(name) => images::get(state, &name),
            Self::SearchImages => images::search(state, query),
            Self::PullImage => images::pull(state, body),
            Self::Agents => agents::list(state),
            Self::CreateAgent => agents::create(state, body),
            Self::Agent(id) => agents::get(state, &id),
            Self::SendAgent(id) => agents::send(state, &id, body),
            Self::AgentStream(id) => agents::stream(state, &id),
            Self::StopAgent(id) => agents::stop(state, &id).await,
        }
    }
}
