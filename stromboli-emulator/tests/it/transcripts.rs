//! What runs write down, in the form in which Claude Code keeps conversations on disk.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::stream;
use serde_json::{Map, Value, json};
use stromboli_emulator::{Answer, Emulator, Exit, Run, Step, Usage};

use crate::client::{SESSION, get, is_uuid4, post, within};

const RECORDED: &str = include_str!("recorded/structured-session.jsonl");
const PRINTED: &str = include_str!("recorded/bash-tool.jsonl");

async fn run(emulator: &Emulator, prompt: &str, claude: Value) -> Value {
    let mut claude = claude;
    claude["session_id"] = json!(SESSION);
    let body = json!({"prompt": prompt, "claude": claude}).to_string();
    post(emulator, "/run", body).await.json()
}

fn lines(emulator: &Emulator) -> Vec<Value> {
    let transcript = emulator.transcript(SESSION).unwrap();
    assert!(transcript.ends_with('\n'));
    transcript
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn types(lines: &[Value]) -> Vec<&str> {
    lines.iter().map(|line| line["type"].as_str().unwrap()).collect()
}

/// The names of the fields of the first line of that type that has `field`.
fn fields<'a>(lines: &'a [Value], kind: &str, field: &str) -> BTreeSet<&'a str> {
    let line = lines
        .iter()
        .find(|line| line["type"] == kind && line.get(field).is_some());
    line.and_then(Value::as_object)
        .map(Map::keys)
        .unwrap()
        .map(String::as_str)
        .collect()
}

#[tokio::test]
async fn a_run_is_written_in_the_form_of_a_recorded_one() {
    let emulator = Emulator::start().await.unwrap();
    emulator.on_prompt("hi").reply("hello\nthere");
    let options = json!({"permission_mode": "acceptEdits", "model": "sonnet"});
    run(&emulator, "hi", options).await;
    let written = lines(&emulator);
    let kinds = ["queue-operation", "queue-operation", "user", "assistant", "last-prompt"];
    assert_eq!(types(&written), kinds);
    let recorded: Vec<Value> = RECORDED
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    for (kind, field) in [
        ("queue-operation", "content"),
        ("user", "permissionMode"),
        ("assistant", "uuid"),
        ("last-prompt", "leafUuid"),
    ] {
        assert_eq!(fields(&written, kind, field), fields(&recorded, kind, field), "{kind}");
    }
    let (enqueue, dequeue, user, answer, last) = (&written[0], &written[1], &written[2], &written[3], &written[4]);
    assert_eq!(
        (&enqueue["operation"], &enqueue["content"]),
        (&json!("enqueue"), &json!("hi"))
    );
    assert_eq!(
        (&dequeue["operation"], dequeue.get("content")),
        (&json!("dequeue"), None)
    );
    assert_eq!(user["message"], json!({"role": "user", "content": "hi"}));
    assert_eq!(
        (&user["parentUuid"], &answer["parentUuid"]),
        (&json!(null), &user["uuid"])
    );
    assert_eq!(
        (&last["lastPrompt"], &last["leafUuid"]),
        (&json!("hi"), &answer["uuid"])
    );
    for line in [user, answer] {
        assert!(is_uuid4(line["uuid"].as_str().unwrap()));
        assert_eq!(
            [&line["cwd"], &line["version"], &line["gitBranch"]],
            ["/workspace", "2.1.197", "HEAD"]
        );
        let time = line["timestamp"].as_str().unwrap();
        assert_eq!((time.len(), &time[23..]), (24, "Z"), "{time}");
    }
    for line in &written {
        assert_eq!(line["sessionId"], SESSION);
    }
    assert_eq!(user["permissionMode"], "acceptEdits");
    let message = &answer["message"];
    assert_eq!(
        (&message["role"], &message["model"]),
        (&json!("assistant"), &json!("sonnet"))
    );
    assert_eq!(message["content"], json!([{"type": "text", "text": "hello\nthere"}]));
    assert_eq!(message["stop_reason"], "end_turn");
}

#[tokio::test]
async fn what_the_options_say_is_in_the_prompts_line() {
    let cases = [
        (json!({}), "default"),
        (json!({"dangerously_skip_permissions": true}), "bypassPermissions"),
        (
            json!({"dangerously_skip_permissions": true, "permission_mode": "plan"}),
            "plan",
        ),
    ];
    for (claude, mode) in cases {
        let emulator = Emulator::start().await.unwrap();
        let mut body = json!({"prompt": "hi", "workdir": "/w", "claude": claude});
        body["claude"]["session_id"] = json!(SESSION);
        post(&emulator, "/run", body.to_string()).await;
        let user = &lines(&emulator)[2];
        assert_eq!((&user["permissionMode"], &user["cwd"]), (&json!(mode), &json!("/w")));
    }
}

#[tokio::test]
async fn each_line_follows_on_the_one_before_from_run_to_run() {
    let emulator = Emulator::start().await.unwrap();
    run(&emulator, "one", json!({})).await;
    run(&emulator, "two", json!({"resume": true})).await;
    let written = lines(&emulator);
    let chain: Vec<_> = written.iter().filter(|line| line.get("uuid").is_some()).collect();
    assert_eq!(chain.len(), 4);
    for pair in chain.windows(2) {
        assert_eq!(pair[1]["parentUuid"], pair[0]["uuid"]);
    }
    assert_ne!(chain[0]["promptId"], chain[2]["promptId"]);
}

#[tokio::test]
async fn messages_that_the_command_prints_are_written_as_they_are() {
    let emulator = Emulator::start().await.unwrap();
    emulator.on_prompt("").lines(PRINTED.lines());
    run(&emulator, "use a tool", json!({"output_format": "stream-json"})).await;
    let written = lines(&emulator);
    let kinds = [
        "queue-operation",
        "queue-operation",
        "user",
        "assistant",
        "assistant",
        "user",
        "assistant",
        "last-prompt",
    ];
    assert_eq!(types(&written), kinds);
    let printed: Vec<Value> = PRINTED
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let messages: Vec<_> = printed.iter().filter(|line| line.get("message").is_some()).collect();
    for (line, message) in written[3..7].iter().zip(messages) {
        assert_eq!(
            (&line["message"], &line["uuid"]),
            (&message["message"], &message["uuid"])
        );
        assert_eq!(line.get("toolUseResult"), message.get("tool_use_result"));
    }
    assert_eq!(written[5]["toolUseResult"]["stdout"], "hi");
    for at in 3..7 {
        assert_eq!(written[at]["parentUuid"], written[at - 1]["uuid"]);
    }
    let page = get(&emulator, &format!("/sessions/{SESSION}/messages")).await.json();
    assert_eq!(
        (&page["total"], &page["messages"][3]["tool_result"]["stdout"]),
        (&json!(6), &json!("hi"))
    );
}

#[tokio::test]
async fn subagents_and_repeated_prompts_are_not_written() {
    let emulator = Emulator::start().await.unwrap();
    let message = json!({"role": "user", "content": "x"});
    let printed = [
        json!({"type": "user", "message": message, "isReplay": true}),
        json!({"type": "assistant", "message": message, "parent_tool_use_id": "toolu_1"}),
        json!({"type": "user", "message": "none"}),
        json!({"type": "stream_event", "event": {}}),
        json!({"type": "result", "result": "done"}),
    ];
    emulator.on_prompt("").lines(printed.iter().map(Value::to_string));
    run(&emulator, "hi", json!({})).await;
    let written = lines(&emulator);
    assert_eq!(types(&written[2..]), ["user", "assistant", "last-prompt"]);
    assert_eq!(written[3]["message"]["content"][0]["text"], "done");
}

#[tokio::test]
async fn the_answer_in_an_envelope_is_what_it_holds() {
    let emulator = Emulator::start().await.unwrap();
    emulator.on_prompt("hi").reply("hello");
    run(&emulator, "hi", json!({"output_format": "json"})).await;
    assert_eq!(
        lines(&emulator)[3]["message"]["content"],
        json!([{"type": "text", "text": "hello"}])
    );
}

#[tokio::test]
async fn what_goes_wrong_is_no_answer() {
    let emulator = Emulator::start().await.unwrap();
    emulator.on_prompt("hi").stderr("warning").reply("hello");
    assert_eq!(run(&emulator, "hi", json!({})).await["output"], "warning\nhello");
    assert_eq!(lines(&emulator)[3]["message"]["content"][0]["text"], "hello");
    let answerer = |_: Run| {
        let printed = Step::Line("no credit".to_owned());
        Answer::new(stream::iter([printed, Step::Exit(Exit::Failed { status: 1 })]))
    };
    let emulator = Emulator::builder().answerer(answerer).start().await.unwrap();
    run(&emulator, "hi", json!({})).await;
    assert_eq!(types(&lines(&emulator)[2..]), ["user", "last-prompt"]);
}

#[tokio::test]
async fn each_line_has_its_own_time() {
    let emulator = Emulator::start().await.unwrap();
    let hold = emulator.on_prompt("hi").reply("hello").hold();
    let body = json!({"prompt": "hi", "claude": {"session_id": SESSION}}).to_string();
    let mut connection = crate::client::Connection::open(&emulator).await;
    connection.send("POST", "/run", "", body.as_bytes()).await;
    within(emulator.wait_for(|stats| stats.executions == 1)).await;
    emulator.advance_clock(Duration::from_secs(3600));
    hold.release();
    connection.response("POST").await;
    let written = lines(&emulator);
    let times = [2, 3].map(|at| {
        written[at]["timestamp"]
            .as_str()
            .unwrap()
            .parse::<jiff::Timestamp>()
            .unwrap()
    });
    assert!(times[1].duration_since(times[0]).as_secs() >= 3599, "{times:?}");
}

#[tokio::test]
async fn a_message_keeps_its_model() {
    let emulator = Emulator::start().await.unwrap();
    let message =
        |model: Value| json!({"type": "assistant", "message": {"role": "assistant", "model": model}}).to_string();
    let bare = json!({"type": "assistant", "message": {"role": "assistant"}}).to_string();
    emulator.on_prompt("").lines([message(json!("haiku")), bare]);
    run(&emulator, "hi", json!({"model": "opus"})).await;
    let written = lines(&emulator);
    assert_eq!(
        [&written[3]["message"]["model"], &written[4]["message"]["model"]],
        ["haiku", "opus"]
    );
}

#[tokio::test]
async fn a_failure_is_no_answer_and_a_crash_writes_no_end() {
    let emulator = Emulator::start().await.unwrap();
    emulator.on_prompt("bad").fail(1, "credit is too low");
    emulator.on_prompt("boom").lines(["half"]).crash(137, "SIGKILL");
    emulator.on_prompt("silent").lines([""; 0]);
    run(&emulator, "bad", json!({})).await;
    run(&emulator, "boom", json!({"resume": true})).await;
    run(&emulator, "silent", json!({"resume": true})).await;
    let (queue, user) = ("queue-operation", "user");
    let failed = [queue, queue, user, "last-prompt"];
    let crashed = [queue, queue, user, "assistant"];
    assert_eq!(types(&lines(&emulator)), [failed, crashed, failed].concat());
}

#[tokio::test]
async fn a_run_that_is_cut_off_has_written_what_it_had_printed() {
    let emulator = Emulator::start().await.unwrap();
    let said = json!({"type": "assistant", "message": {"role": "assistant", "content": []}, "uuid": "a"}).to_string();
    let _hold = emulator.on_prompt("").lines([said, "more".to_owned()]).hold_after(1);
    let target = format!("/run/stream?prompt=hi&session_id={SESSION}");
    let mut connection = crate::client::Connection::open(&emulator).await;
    connection.send("GET", &target, "", b"").await;
    connection.head().await;
    drop(connection);
    within(emulator.wait_for(|stats| stats.stopped == 1)).await;
    assert_eq!(types(&lines(&emulator)[2..]), ["user", "assistant"]);
}

#[tokio::test]
async fn tokens_that_no_answer_came_with_are_written_without_one() {
    let emulator = Emulator::start().await.unwrap();
    let usage = Usage {
        output_tokens: 7,
        ..Usage::default()
    };
    emulator.on_prompt("").lines([""; 0]).usage(usage);
    run(&emulator, "hi", json!({})).await;
    let message = &lines(&emulator)[3]["message"];
    assert_eq!(
        (&message["content"], &message["usage"]["output_tokens"]),
        (&json!([]), &json!(7))
    );
}
