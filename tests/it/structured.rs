//! Answers as types: `Client::run_as`, `RunResponse::structured` and `Job::structured`.

use std::error::Error as _;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use stromboli::{ClaudeOptions, Client, Error, ErrorKind, Model, OutputFormat, RunRequest};
use stromboli_emulator::Emulator;

use crate::support::{COMPLETED, Reply, Server, within};

#[derive(Debug, Deserialize, JsonSchema, PartialEq)]
struct Verdict {
    /// In one sentence.
    summary: String,
    score: u8,
}

fn good() -> Verdict {
    Verdict {
        summary: "fine".into(),
        score: 7,
    }
}

async fn start() -> (Emulator, Client) {
    let emulator = Emulator::start().await.unwrap();
    emulator.on_prompt("score").reply(r#"{"summary":"fine","score":7}"#);
    let client = Client::new(emulator.url()).unwrap();
    (emulator, client)
}

async fn verdict(client: &Client, request: impl Into<RunRequest>) -> Result<Verdict, Error> {
    within(client.run_as(request)).await
}

#[tokio::test]
async fn a_run_gives_its_answer_as_a_type() {
    let (_emulator, client) = start().await;
    assert_eq!(verdict(&client, "score").await.unwrap(), good());
}

#[tokio::test]
async fn the_schema_of_the_type_goes_out_with_the_callers_options() {
    let (emulator, client) = start().await;
    let options = ClaudeOptions::new()
        .model(Model::Haiku)
        .output_format(OutputFormat::Json);
    let request = RunRequest::new("score").workdir("/w").claude(options);
    verdict(&client, request).await.unwrap();

    let sent: Value = serde_json::from_slice(&emulator.requests()[0].body).unwrap();
    let schema: Value = serde_json::from_str(sent["claude"]["json_schema"].as_str().unwrap()).unwrap();
    let expected = json!({
        "title": "Verdict",
        "type": "object",
        "properties": {
            "summary": {"type": "string", "description": "In one sentence."},
            "score": {"type": "integer", "minimum": 0, "maximum": 255},
        },
        "required": ["summary", "score"],
    });
    assert_eq!(schema, expected, "no draft and no format that the CLI would refuse");
    let claude = json!({"model": "haiku", "output_format": "json", "json_schema": sent["claude"]["json_schema"]});
    assert_eq!(sent, json!({"prompt": "score", "workdir": "/w", "claude": claude}));
}

#[tokio::test]
async fn a_request_that_wants_another_form_is_refused_before_anything_is_sent() {
    let server = Server::once(Reply::new(200).json(COMPLETED).bytes()).await;
    let client = Client::new(server.url()).unwrap();
    for options in [
        ClaudeOptions::new().json_schema(json!({"type": "object"})),
        ClaudeOptions::new().output_format(OutputFormat::Text),
        ClaudeOptions::new().output_format(OutputFormat::StreamJson),
    ] {
        let error = verdict(&client, RunRequest::new("score").claude(options))
            .await
            .unwrap_err();
        assert_eq!(
            (error.kind(), error.may_have_executed()),
            (ErrorKind::InvalidInput, false),
            "{error}"
        );
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn an_answer_that_does_not_fit_is_an_error_that_holds_it() {
    let (emulator, client) = start().await;
    let raw = json!({"summary": "topsecret", "score": "high"});
    emulator.on_prompt("score").reply(raw.to_string());
    let error = verdict(&client, "score").await.unwrap_err();
    assert_eq!((error.kind(), error.may_have_executed()), (ErrorKind::Decode, true));
    assert_eq!(serde_json::from_slice::<Value>(error.body()).unwrap(), raw);
    let reply = error.reply().unwrap();
    assert_eq!(reply.structured_output.as_ref(), Some(&raw));
    assert_eq!(reply.session_id().len(), 36, "to go on with");

    let shown = format!("{error} {error:?}");
    assert!(
        shown.contains("structured output does not fit") && shown.contains("Verdict"),
        "{shown}"
    );
    assert!(!shown.contains("topsecret") && !shown.contains("high"), "{shown}");
    let cause = error.source().and_then(|failure| failure.source()).unwrap().to_string();
    assert!(cause.contains("expected u8"), "{cause}");
}

#[tokio::test]
async fn a_run_without_structured_output_is_an_error_with_what_it_printed() {
    let (emulator, client) = start().await;
    emulator.on_prompt("score").lines(["seven, I'd say"]);
    let error = verdict(&client, "score").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert_eq!(error.to_string(), "reply has no structured output");
    assert_eq!(error.body(), b"seven, I'd say");
}

#[tokio::test]
async fn a_run_whose_agent_failed_is_that_error_and_not_a_misfit() {
    let (emulator, client) = start().await;
    emulator.on_prompt("score").crash(137, "SIGKILL");
    assert!(verdict(&client, "score").await.unwrap_err().is_agent_failed());
    let envelope = json!({"type": "result", "subtype": "error_max_structured_output_retries", "is_error": true});
    emulator.on_prompt("score").lines([envelope.to_string()]);
    let error = verdict(&client, "score").await.unwrap_err();
    assert!(error.is_agent_failed(), "{error}");
    assert!(
        error.to_string().contains("error_max_structured_output_retries"),
        "{error}"
    );
}

#[tokio::test]
async fn a_line_on_stderr_does_not_hide_the_answer() {
    let (emulator, client) = start().await;
    let answer = json!({"summary": "fine", "score": 7});
    let envelope = json!({"type": "result", "is_error": false, "structured_output": answer});
    emulator
        .on_prompt("score")
        .lines(["warning: noise".to_owned(), envelope.to_string()]);
    let reply = within(client.run("score")).await.unwrap();
    assert_eq!(reply.structured_output, None, "the server found none");
    assert_eq!(reply.structured::<Verdict>().unwrap(), good());
    assert_eq!(verdict(&client, "score").await.unwrap(), good());
}

#[tokio::test]
async fn a_job_gives_its_answer_as_a_type_as_well() {
    let (emulator, client) = start().await;
    let options = ClaudeOptions::new()
        .output_format(OutputFormat::Json)
        .json_schema(json!({"type": "object"}));
    let request = RunRequest::new("score").claude(options);
    let job = within(client.start(request.clone())).await.unwrap();
    let done = within(job.wait()).await.unwrap().ok().unwrap();
    assert_eq!(done.structured::<Verdict>().unwrap(), good());

    emulator.on_prompt("score").reply("[]");
    let job = within(client.start(request)).await.unwrap();
    let done = within(job.wait()).await.unwrap();
    let error = Error::from(done.structured::<Verdict>().unwrap_err());
    assert_eq!((error.kind(), error.body()), (ErrorKind::Decode, &b"[]"[..]));
    assert_eq!((error.job(), error.reply()), (Some(&done), None));
}
