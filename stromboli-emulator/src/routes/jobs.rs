//! `GET /jobs`, `GET /jobs/{id}` and `DELETE /jobs/{id}`.

use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;

use crate::jobs::{Job, NotCancelled};
use crate::reply;
use crate::state::State;

/// All jobs, in random order.
pub(super) fn list(state: &State) -> Response {
    #[derive(Serialize)]
    struct List {
        jobs: Vec<Job>,
    }
    let mut jobs = state.jobs.list();
    state.shuffle(&mut jobs);
    reply::json(StatusCode::OK, &List { jobs })
}

pub(super) fn get(state: &State, id: &str) -> Response {
    match state.jobs.get(id) {
        Some(job) => reply::json(StatusCode::OK, &job),
        None => not_found(),
    }
}

pub(super) fn cancel(state: &State, id: &str) -> Response {
    #[derive(Serialize)]
    struct Cancelled<'a> {
        cancelled: bool,
        job_id: &'a str,
    }
    match state.jobs.cancel(id) {
        Ok(()) => {
            let cancelled = Cancelled {
                cancelled: true,
                job_id: id,
            };
            reply::json(StatusCode::OK, &cancelled)
        }
        Err(NotCancelled::Unknown) => not_found(),
        Err(NotCancelled::Ended) => reply::run_error(
            StatusCode::CONFLICT,
            "cannot cancel job (already completed, failed, or cancelled)",
        ),
    }
}

fn not_found() -> Response {
    reply::run_error(StatusCode::NOT_FOUND, "job not found")
}
