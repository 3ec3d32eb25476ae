//! What the policies need to know of each operation of the contract, in one table.

/// What carrying an operation out twice would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Changes nothing on the server.
    Read,
    /// Changes something, but the same thing however often.
    Repeatable,
    /// Runs an agent or creates something: twice is two.
    Executes,
}

/// How long an operation may take; see [`Timeouts`](crate::Timeouts).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Quick,
    ImagePull,
    Run,
    /// Ends when the server says so; only silence is bounded, and it begins with the request: the server answers when the
    /// agent does (WIRE §7).
    Stream,
    /// The same, but the server answers at once (WIRE §11).
    Subscription,
}

impl Class {
    /// Whether the response is read by the caller, as long as it lasts.
    pub(crate) fn is_stream(self) -> bool {
        matches!(self, Self::Stream | Self::Subscription)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Operation {
    pub(crate) id: &'static str,
    /// As the contract writes it: no id of a job, a session or a secret is in it.
    pub(crate) path: &'static str,
    pub(crate) effect: Effect,
    pub(crate) class: Class,
    /// The first server version that has it, for those which 0.4.0 did not have.
    pub(crate) since: Option<&'static str>,
}

/// In the order of their ids. `GET /run/stream` runs an agent although it is a GET, and `POST /auth/*` only hands out tokens.
static OPERATIONS: [Operation; 30] = [
    since(
        "0.5.0",
        operation("agent_create", "/agents", Effect::Executes, Class::Quick),
    ),
    since(
        "0.5.0",
        operation("agent_get", "/agents/{id}", Effect::Read, Class::Quick),
    ),
    since(
        "0.5.0",
        operation("agent_send", "/agents/{id}/send", Effect::Executes, Class::Quick),
    ),
    since(
        "0.5.0",
        operation("agent_stop", "/agents/{id}", Effect::Repeatable, Class::Quick),
    ),
    since(
        "0.5.0",
        operation("agent_stream", "/agents/{id}/stream", Effect::Read, Class::Subscription),
    ),
    since("0.5.0", operation("agents_list", "/agents", Effect::Read, Class::Quick)),
    operation("auth_logout", "/auth/logout", Effect::Repeatable, Class::Quick),
    operation("auth_refresh", "/auth/refresh", Effect::Repeatable, Class::Quick),
    operation("auth_token", "/auth/token", Effect::Repeatable, Class::Quick),
    operation("auth_validate", "/auth/validate", Effect::Read, Class::Quick),
    operation("claude_status", "/claude/status", Effect::Read, Class::Quick),
    operation("health", "/health", Effect::Read, Class::Quick),
    operation("image_get", "/images/{name}", Effect::Read, Class::Quick),
    operation("image_pull", "/images/pull", Effect::Repeatable, Class::ImagePull),
    operation("images_list", "/images", Effect::Read, Class::Quick),
    operation("images_search", "/images/search", Effect::Read, Class::Quick),
    operation("job_cancel", "/jobs/{id}", Effect::Repeatable, Class::Quick),
    operation("job_get", "/jobs/{id}", Effect::Read, Class::Quick),
    operation("jobs_list", "/jobs", Effect::Read, Class::Quick),
    operation("run_async", "/run/async", Effect::Executes, Class::Quick),
    operation("run_stream", "/run/stream", Effect::Executes, Class::Stream),
    operation("run_sync", "/run", Effect::Executes, Class::Run),
    operation("secret_create", "/secrets", Effect::Executes, Class::Quick),
    operation("secret_delete", "/secrets/{name}", Effect::Repeatable, Class::Quick),
    operation("secret_get", "/secrets/{name}", Effect::Read, Class::Quick),
    operation("secrets_list", "/secrets", Effect::Read, Class::Quick),
    operation("session_destroy", "/sessions/{id}", Effect::Repeatable, Class::Quick),
    operation(
        "session_message",
        "/sessions/{id}/messages/{message_id}",
        Effect::Read,
        Class::Quick,
    ),
    operation(
        "session_messages",
        "/sessions/{id}/messages",
        Effect::Read,
        Class::Quick,
    ),
    operation("sessions_list", "/sessions", Effect::Read, Class::Quick),
];

const fn operation(id: &'static str, path: &'static str, effect: Effect, class: Class) -> Operation {
    Operation {
        id,
        path,
        effect,
        class,
        since: None,
    }
}

const fn since(version: &'static str, operation: Operation) -> Operation {
    Operation {
        since: Some(version),
        ..operation
    }
}

/// What [`Client::request`](crate::Client::request) sends: any operation, so the worst is assumed of its effect, and the
/// longest of its time.
pub(crate) static REQUEST: Operation = operation("request", "", Effect::Executes, Class::Stream);

/// What is sent under an id that the table does not have: nothing is assumed in its favour.
static UNKNOWN: Operation = operation("unknown", "", Effect::Executes, Class::Run);

/// The operation with this id of the contract. No call has another.
pub(crate) fn find(id: &str) -> &'static Operation {
    known(id).unwrap_or(&UNKNOWN)
}

/// The same for an id that a caller names, who finds it in the error.
pub(crate) fn named(id: &'static str) -> Operation {
    known(id).copied().unwrap_or(Operation { id, ..UNKNOWN })
}

fn known(id: &str) -> Option<&'static Operation> {
    if id == REQUEST.id {
        return Some(&REQUEST);
    }
    // Not one after the other: that would fill a good part of the processor's nearest cache with the table, in each call.
    let known = OPERATIONS.binary_search_by(|operation| operation.id.cmp(id));
    known.ok().and_then(|at| OPERATIONS.get(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_of_the_contract_is_in_the_table_and_no_other() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../openapi.yaml");
        let contract = std::fs::read_to_string(path).unwrap();
        let mut path = "";
        let mut described = Vec::new();
        // What follows refers to operations, and describes none.
        for line in contract.lines().take_while(|line| *line != "components:") {
            if let Some(found) = line.strip_prefix("  /") {
                path = found.trim_end_matches(':');
            } else if let Some(id) = line.trim().strip_prefix("operationId: ") {
                described.push((id.to_owned(), format!("/{path}")));
            }
        }
        // Sorted as they stand there, as the search needs them.
        let table: Vec<_> = OPERATIONS
            .iter()
            .map(|o| (o.id.to_owned(), o.path.to_owned()))
            .collect();
        described.sort_unstable();
        assert_eq!(table, described);
    }

    #[test]
    fn what_runs_an_agent_is_never_taken_for_a_read() {
        for id in ["run_sync", "run_async", "run_stream", "agent_create", "agent_send"] {
            assert_eq!(find(id).effect, Effect::Executes, "{id}");
        }
        for operation in [*find("brand_new"), named("brand_new")] {
            assert_eq!((operation.effect, operation.class), (Effect::Executes, Class::Run));
        }
        assert_eq!(named("brand_new").id, "brand_new");
    }
}
