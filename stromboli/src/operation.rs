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
    /// Ends when the server says so; only silence is bounded.
    Stream,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Operation {
    pub(crate) id: &'static str,
    pub(crate) effect: Effect,
    pub(crate) class: Class,
    /// The first server version that has it, for those which 0.4.0 did not have.
    pub(crate) since: Option<&'static str>,
}

/// An operation that the table does not know, called through `raw()`: nothing is assumed in its favour.
static UNKNOWN: Operation = operation("unknown", Effect::Executes, Class::Run);

/// `GET /run/stream` runs an agent although it is a GET, and `POST /auth/*` only hands out tokens.
static OPERATIONS: [Operation; 30] = [
    operation("auth_token", Effect::Repeatable, Class::Quick),
    operation("auth_refresh", Effect::Repeatable, Class::Quick),
    operation("auth_validate", Effect::Read, Class::Quick),
    operation("auth_logout", Effect::Repeatable, Class::Quick),
    operation("run_sync", Effect::Executes, Class::Run),
    operation("run_async", Effect::Executes, Class::Quick),
    operation("run_stream", Effect::Executes, Class::Stream),
    operation("jobs_list", Effect::Read, Class::Quick),
    operation("job_get", Effect::Read, Class::Quick),
    operation("job_cancel", Effect::Repeatable, Class::Quick),
    operation("sessions_list", Effect::Read, Class::Quick),
    operation("session_destroy", Effect::Repeatable, Class::Quick),
    operation("session_messages", Effect::Read, Class::Quick),
    operation("session_message", Effect::Read, Class::Quick),
    operation("secrets_list", Effect::Read, Class::Quick),
    operation("secret_create", Effect::Executes, Class::Quick),
    operation("secret_get", Effect::Read, Class::Quick),
    operation("secret_delete", Effect::Repeatable, Class::Quick),
    operation("images_list", Effect::Read, Class::Quick),
    operation("image_get", Effect::Read, Class::Quick),
    operation("images_search", Effect::Read, Class::Quick),
    operation("image_pull", Effect::Repeatable, Class::ImagePull),
    since("0.5.0", operation("agents_list", Effect::Read, Class::Quick)),
    since("0.5.0", operation("agent_create", Effect::Executes, Class::Quick)),
    since("0.5.0", operation("agent_get", Effect::Read, Class::Quick)),
    since("0.5.0", operation("agent_send", Effect::Executes, Class::Quick)),
    since("0.5.0", operation("agent_stream", Effect::Read, Class::Stream)),
    since("0.5.0", operation("agent_stop", Effect::Repeatable, Class::Quick)),
    operation("health", Effect::Read, Class::Quick),
    operation("claude_status", Effect::Read, Class::Quick),
];

const fn operation(id: &'static str, effect: Effect, class: Class) -> Operation {
    Operation {
        id,
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

/// The operation with this id of the contract.
pub(crate) fn find(id: &str) -> &'static Operation {
    OPERATIONS
        .iter()
        .find(|operation| operation.id == id)
        .unwrap_or(&UNKNOWN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_of_the_contract_is_in_the_table_and_no_other() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../openapi.yaml");
        let contract = std::fs::read_to_string(path).unwrap();
        let mut ids: Vec<&str> = contract
            .lines()
            .filter_map(|l| l.trim().strip_prefix("operationId: "))
            .collect();
        let mut table: Vec<&str> = OPERATIONS.iter().map(|o| o.id).collect();
        ids.sort_unstable();
        table.sort_unstable();
        assert_eq!(table, ids);
    }

    #[test]
    fn what_runs_an_agent_is_never_taken_for_a_read() {
        for id in ["run_sync", "run_async", "run_stream", "agent_create", "agent_send"] {
            assert_eq!(find(id).effect, Effect::Executes, "{id}");
        }
        assert_eq!(find("brand_new").effect, Effect::Executes);
    }
}
