//! The kinds of error that only some operations have.

use stromboli::{Error, ErrorKind};

use crate::calls::{IDS, call};
use crate::errors::{client_of, error_of};
use crate::support::{Reply, Server};

const UNKNOWN_ROUTE: &str = "404 page not found";

fn plain(status: u16, words: &str) -> Reply {
    Reply::new(status).json(format!(r#"{{"error":{words:?}}}"#))
}

/// The kind that `operation` makes of these words with this status.
async fn kind_of(operation: &str, status: u16, words: &str) -> ErrorKind {
    let error = error_of(operation, plain(status, words)).await;
    assert_eq!(error.message(), words);
    error.kind()
}

#[tokio::test]
async fn an_execution_that_failed_is_an_agent_failure_of_a_run_and_of_nothing_else() {
    let body = r#"{"id":"","status":"error","error":"execution failed: exit status 1, output: x"}"#;
    for (operation, kind) in [("run_sync", ErrorKind::AgentFailed), ("job_get", ErrorKind::Internal)] {
        let error = error_of(operation, Reply::new(500).json(body)).await;
        assert_eq!(error.kind(), kind, "{operation}");
    }
}

#[tokio::test]
async fn an_unknown_route_is_not_found_with_the_servers_text() {
    let reply = Reply::new(404).body("text/plain", "404 page not found");
    let error = error_of("claude_status", reply).await;
    assert!(error.is_not_found());
    assert_eq!(error.message(), "404 page not found");
}

#[tokio::test]
async fn a_secret_that_exists_is_said_to() {
    let body = r#"{"success":false,"error":"secret already exists","name":"token"}"#;
    let error = error_of("secret_create", Reply::new(409).json(body)).await;
    assert_eq!((error.kind(), error.code()), (ErrorKind::SecretExists, "SECRET_EXISTS"));
    assert_eq!(
        error.to_string(),
        "secret_create failed with status 409: secret already exists"
    );
    assert!(!error.may_have_executed());
}

#[tokio::test]
async fn a_name_that_no_secret_can_have_is_not_any_bad_request() {
    let invalid = ErrorKind::InvalidSecretName;
    for (operation, words, kind) in [
        (
            "secret_create",
            "secrets: create \"a b\": validation error: invalid name",
            invalid,
        ),
        (
            "secret_create",
            "secrets: create \"value\": validation error: name too long",
            invalid,
        ),
        (
            "secret_get",
            "validation error: name contains invalid characters",
            invalid,
        ),
        (
            "secret_delete",
            "validation error: name contains invalid characters",
            invalid,
        ),
        (
            "secret_create",
            "secrets: create \"token\": validation error: value exceeds 1048576 bytes",
            ErrorKind::BadRequest,
        ),
        ("secret_create", "EOF", ErrorKind::BadRequest),
        ("image_get", "validation error: invalid name", ErrorKind::BadRequest),
    ] {
        assert_eq!(kind_of(operation, 400, words).await, kind, "{operation}: {words}");
    }
}

#[tokio::test]
async fn an_image_that_is_not_there_is_an_image_not_found_and_not_found() {
    for reply in [
        plain(404, "image not found"),
        // The answer for every name with a slash in it.
        Reply::new(404).body("text/plain", UNKNOWN_ROUTE),
    ] {
        let error = error_of("image_get", reply).await;
        assert_eq!(error.kind(), ErrorKind::ImageNotFound);
        assert!(error.is_not_found());
    }
    assert_eq!(
        kind_of("secret_get", 404, "secret not found").await,
        ErrorKind::NotFound
    );
}

#[tokio::test]
async fn a_pull_that_failed_is_told_from_a_server_that_did() {
    let words = "failed to pull image";
    assert_eq!(kind_of("image_pull", 500, words).await, ErrorKind::ImagePullFailed);
    assert_eq!(kind_of("images_list", 500, words).await, ErrorKind::Internal);
    let search = kind_of("images_search", 502, "registry search failed").await;
    assert_eq!(search, ErrorKind::Unavailable);
}

#[tokio::test]
async fn an_agent_that_takes_no_prompt_says_why() {
    let busy = kind_of("agent_send", 409, "agent: a turn is already in progress").await;
    assert_eq!(busy, ErrorKind::AgentBusy);
    let exited = kind_of("agent_send", 410, "agent: process has exited").await;
    assert_eq!(exited, ErrorKind::AgentExited);
    let gone = kind_of("agent_send", 404, "agent: not found").await;
    assert_eq!(gone, ErrorKind::NotFound);
}

#[tokio::test]
async fn an_operation_that_an_old_server_does_not_know_is_unsupported_and_says_what_it_needs() {
    let unknown = Reply::new(404).body("text/plain", format!("{UNKNOWN_ROUTE}\n"));
    let server = Server::answering(move |_| unknown.clone().bytes()).await;
    let client = client_of(&server);
    for operation in IDS {
        let error: Error = call(&client, operation).await.unwrap_err();
        if operation.starts_with("agent") {
            assert_eq!(error.kind(), ErrorKind::Unsupported, "{operation}");
            assert!(error.to_string().contains("0.5.0"), "{error}");
        } else {
            assert!(error.is_not_found(), "{operation}");
            assert_eq!(error.message(), UNKNOWN_ROUTE, "{operation}");
        }
        assert!(!error.may_have_executed(), "{operation}");
    }
}

#[tokio::test]
async fn an_agent_that_does_not_exist_is_not_an_unsupported_operation() {
    for operation in ["agent_get", "agent_send", "agent_stream", "agent_stop"] {
        let kind = kind_of(operation, 404, "agent: not found").await;
        assert_eq!(kind, ErrorKind::NotFound, "{operation}");
    }
}
