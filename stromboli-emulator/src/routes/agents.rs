//! The routes below `/agents`.

use std::sync::Arc;

use axum::body::Body;
use axum::http::StatusCode;
use axum::response::Response;
use futures_util::stream;
use serde::Serialize;

use crate::agents::{self, CreateRequest, NotSent, Subscription};
use crate::reply;
use crate::state::State;

/// All agents, in random order.
pub(super) fn list(state: &State) -> Response {
    let mut agents = state.agents.list();
    state.shuffle(&mut agents);
    reply::json(StatusCode::OK, &agents)
}

pub(super) fn create(state: &Arc<State>, body: &[u8]) -> Response {
    let request = match CreateRequest::from_json(body) {
        Ok(request) => request,
        Err(error) => return reply::plain_error(StatusCode::BAD_REQUEST, &error),
    };
    match agents::create(state, request) {
        Ok(agent) => reply::json(StatusCode::CREATED, &agent),
        Err(error) => {
            let error = format!("agent: spawn: agent: start: {error}");
            reply::plain_error(StatusCode::INTERNAL_SERVER_ERROR, &error)
        }
    }
}

pub(super) fn get(state: &State, id: &str) -> Response {
    match state.agents.get(id) {
        Some(agent) => reply::json(StatusCode::OK, &agent.snapshot()),
        None => not_found(),
    }
}

pub(super) fn send(state: &State, id: &str, body: &[u8]) -> Response {
    #[derive(Serialize)]
    struct Turn<'a> {
        turn_id: &'a str,
    }
    let prompt = match agents::prompt(body) {
        Ok(prompt) => prompt,
        Err(error) => return reply::plain_error(StatusCode::BAD_REQUEST, &error),
    };
    let Some(agent) = state.agents.get(id) else {
        return not_found();
    };
    let (status, error) = match agent.send(state, prompt) {
        Ok(turn_id) => return reply::json(StatusCode::ACCEPTED, &Turn { turn_id: &turn_id }),
        Err(NotSent::Blank) => (StatusCode::BAD_REQUEST, "agent: invalid request: prompt is required"),
        Err(NotSent::Busy) => (StatusCode::CONFLICT, "agent: a turn is already in progress"),
        Err(NotSent::Exited) => (StatusCode::GONE, "agent: process has exited"),
        Err(NotSent::Broken) => (StatusCode::INTERNAL_SERVER_ERROR, agents::BROKEN_PIPE),
    };
    reply::plain_error(status, error)
}

/// Answers at once. When the client goes away, the response is dropped, and the subscription with it.
pub(super) fn stream(state: &Arc<State>, id: &str) -> Response {
    let Some(agent) = state.agents.get(id) else {
        return not_found();
    };
    let subscription = Subscription::new(state, agent);
    let outlet = subscription.outlet();
    let events = stream::unfold(subscription, |mut subscription| async {
        subscription.next().await.map(|event| (event, subscription))
    });
    let mut response = reply::event_stream(Body::from_stream(events));
    response.extensions_mut().insert(outlet);
    response
}

/// Answers when the process is gone; the agent cannot be asked for from the beginning.
pub(super) async fn stop(state: &State, id: &str) -> Response {
    let Some(agent) = state.agents.remove(id) else {
        return not_found();
    };
    agent.stop();
    agent.gone().await;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

fn not_found() -> Response {
    reply::plain_error(StatusCode::NOT_FOUND, "agent: not found")
}
