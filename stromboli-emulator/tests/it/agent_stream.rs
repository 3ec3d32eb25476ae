//! `GET /agents/{id}/stream`: the events on the wire, and who gets which.

use serde_json::{Value, json};
use stromboli_emulator::{Emulator, Step};

use crate::client::{Connection, delete, get, within};
use crate::events::{Event, Events, look, names, puppet, send, start};

const TRUNCATED: &str = "[stromboli: line truncated, exceeded 10485760 bytes]";
const RESULT: &str = r#"{"type":"result"}"#;

#[tokio::test]
async fn the_headers_of_an_agents_stream_come_before_any_event() {
    let emulator = Emulator::start().await.unwrap();
    let agent = start(&emulator, json!({})).await;
    let mut connection = Connection::open(&emulator).await;
    let target = format!("/agents/{agent}/stream");
    connection.send("GET", &target, "X-Request-ID: mine\r\n", b"").await;
    let head = within(connection.head()).await;
    let mut lines: Vec<_> = head
        .trim_end()
        .split("\r\n")
        .filter(|line| !line.starts_with("Date"))
        .collect();
    lines.sort_unstable();
    let expected = [
        "Cache-Control: no-cache",
        "Connection: keep-alive",
        "Content-Type: text/event-stream",
        "HTTP/1.1 200 OK",
        "Transfer-Encoding: chunked",
        "X-Accel-Buffering: no",
        "X-Request-Id: mine",
    ];
    assert_eq!(lines, expected);
    assert!(connection.is_silent(&emulator).await);
    assert_eq!(emulator.wait_for(|_| true).await.subscribers, 1);
}

#[tokio::test]
async fn an_event_is_a_name_and_a_line_of_json() {
    let emulator = Emulator::builder().utc_offset_minutes(-90).start().await.unwrap();
    emulator.on_prompt("ping").lines(["a<b>&\u{2028}\"\t", RESULT]);
    let agent = start(&emulator, json!({})).await;
    let mut events = Events::open(&emulator, &agent).await;
    let turn = send(&emulator, &agent, "ping").await;
    let mut frames = Vec::new();
    for _ in 0..4 {
        frames.push(within(events.connection.chunk()).await);
    }
    let times: Vec<&str> = frames
        .iter()
        .map(|frame| {
            frame
                .rsplit_once(r#""at":""#)
                .unwrap()
                .1
                .strip_suffix("\"}\n\n")
                .unwrap()
        })
        .collect();
    assert!(
        times.iter().all(|time| time.ends_with("-01:30") && time.contains('.')),
        "{times:?}"
    );
    let content = [
        r#""#,
        r#","content":"a\u003cb\u003e\u0026\u2028\"\t""#,
        r#","content":"{\"type\":\"result\"}""#,
        r#""#,
    ];
    for (number, name) in ["turn_start", "output", "output", "turn_end"].into_iter().enumerate() {
        let (content, at) = (content[number], times[number]);
        let data = format!(r#"{{"type":"{name}","turn_id":"{turn}"{content},"at":"{at}"}}"#);
        assert_eq!(frames[number], format!("event: {name}\ndata: {data}\n\n"));
    }
}

#[tokio::test]
async fn the_last_event_is_closed_and_the_connection_stays() {
    let emulator = Emulator::start().await.unwrap();
    let agent = start(&emulator, json!({})).await;
    let mut events = Events::open(&emulator, &agent).await;
    delete(&emulator, &format!("/agents/{agent}")).await;
    let exited = events.next().await;
    assert_eq!(exited.name, "exited");
    let members: Vec<_> = exited.data.as_object().unwrap().keys().collect();
    assert_eq!(members, ["at", "type"]);
    assert_eq!(within(events.connection.chunk()).await, "event: closed\ndata: {}\n\n");
    assert!(events.is_over().await);
    events.connection.send("GET", "/health", "", b"").await;
    assert_eq!(events.connection.response("GET").await.status, 200);
}

#[tokio::test]
async fn a_line_without_text_is_an_event_without_content() {
    let emulator = Emulator::start().await.unwrap();
    emulator
        .on_prompt("ping")
        .lines(["", "garbage {", "\"result\"", "[]", "", RESULT]);
    let agent = start(&emulator, json!({})).await;
    let mut events = Events::open(&emulator, &agent).await;
    send(&emulator, &agent, "ping").await;
    let turn = events.until("turn_end").await;
    let contents: Vec<_> = turn[1..7]
        .iter()
        .map(|event| event.data.get("content").cloned())
        .collect();
    let text = |text: &str| Some(Value::from(text));
    let expected = [
        None,
        text("garbage {"),
        text("\"result\""),
        text("[]"),
        None,
        text(RESULT),
    ];
    assert_eq!(contents, expected);
}

#[tokio::test]
async fn a_line_above_10_mib_is_replaced() {
    let emulator = Emulator::start().await.unwrap();
    let longest = "x".repeat(10 << 20);
    let too_long = format!("é{}", "x".repeat((10 << 20) - 1));
    let result = format!(r#"{{"type":"result","result":"{longest}"}}"#);
    emulator.on_prompt("ping").lines([&longest, &too_long, &result, RESULT]);
    let agent = start(&emulator, json!({})).await;
    let mut events = Events::open(&emulator, &agent).await;
    send(&emulator, &agent, "ping").await;
    let turn = events.until("turn_end").await;
    assert_eq!(turn.len(), 6);
    assert!(turn[1].content() == longest);
    // The result that was too long has not ended the turn.
    let rest: Vec<_> = turn[2..5].iter().map(Event::content).collect();
    assert_eq!(rest, [TRUNCATED, TRUNCATED, RESULT]);
}

#[tokio::test]
async fn a_turn_of_10_mb_arrives_whole() {
    let emulator = Emulator::start().await.unwrap();
    let reply = "Lava flows. ".repeat(850_000);
    emulator.on_prompt("ping").reply(&reply);
    let agent = start(&emulator, json!({})).await;
    let mut events = Events::open(&emulator, &agent).await;
    send(&emulator, &agent, "ping").await;
    let turn = events.until("turn_end").await;
    let result = turn[turn.len() - 2].message();
    assert!(result["result"] == reply.as_str());
    assert_eq!(emulator.wait_for(|_| true).await.dropped_events, 0);
}

#[tokio::test]
async fn standard_error_becomes_error_events_that_end_nothing() {
    let emulator = Emulator::start().await.unwrap();
    emulator
        .on_prompt("ping")
        .lines([RESULT])
        .stderr("warning: one")
        .stderr("two");
    let agent = start(&emulator, json!({})).await;
    let mut events = Events::open(&emulator, &agent).await;
    let turn_id = send(&emulator, &agent, "ping").await;
    let turn = events.until("turn_end").await;
    assert_eq!(names(&turn), ["turn_start", "error", "error", "output", "turn_end"]);
    let errors: Vec<_> = turn[1..3]
        .iter()
        .map(|event| (&event.data["error"], &event.data["turn_id"]))
        .collect();
    let id = json!(turn_id);
    assert_eq!(errors, [(&json!("warning: one"), &id), (&json!("two"), &id)]);
    assert_eq!(look(&emulator, &agent).await["status"], "idle");
}

#[tokio::test]
async fn between_turns_there_is_no_turn_id() {
    let (answerer, mut puppets) = puppet();
    let emulator = Emulator::builder().answerer(answerer).start().await.unwrap();
    let agent = start(&emulator, json!({})).await;
    let puppet = puppets.recv().await.unwrap();
    let mut events = Events::open(&emulator, &agent).await;
    assert_eq!(look(&emulator, &agent).await["status"], "starting");

    // The first line makes it idle, an error does not.
    puppet.steps.send(Step::Stderr("starting".to_owned())).unwrap();
    let error = events.next().await;
    assert_eq!((error.name.as_str(), error.data.get("turn_id")), ("error", None));
    assert_eq!(look(&emulator, &agent).await["status"], "starting");
    puppet.steps.send(Step::Line("hello".to_owned())).unwrap();
    let output = events.next().await;
    assert_eq!((output.content(), output.data.get("turn_id")), ("hello", None));
    let idle = look(&emulator, &agent).await;
    assert_eq!(idle["status"], "idle");
    assert_ne!(idle["last_activity_at"], idle["created_at"]);

    // A result that nobody asked for ends nothing.
    puppet.steps.send(Step::Line(RESULT.to_owned())).unwrap();
    puppet.steps.send(Step::Line("after".to_owned())).unwrap();
    assert_eq!(events.next().await.content(), RESULT);
    assert_eq!(events.next().await.content(), "after");
    let after = look(&emulator, &agent).await;
    assert_eq!(after, idle);

    let turn = send(&emulator, &agent, "hi").await;
    puppet.steps.send(Step::Line(RESULT.to_owned())).unwrap();
    puppet.steps.send(Step::Line("informational".to_owned())).unwrap();
    let events = events.until("turn_end").await.into_iter().chain([events.next().await]);
    let ids: Vec<_> = events.map(|event| event.data.get("turn_id").cloned()).collect();
    assert_eq!(ids, [Some(json!(turn)), Some(json!(turn)), Some(json!(turn)), None]);
}

#[tokio::test]
async fn every_reader_gets_every_event_from_the_moment_it_came() {
    let emulator = Emulator::start().await.unwrap();
    let hold = emulator.on_prompt("ping").lines(["one", "two", RESULT]).hold_after(1);
    let agent = start(&emulator, json!({})).await;
    let (mut first, mut second) = (
        Events::open(&emulator, &agent).await,
        Events::open(&emulator, &agent).await,
    );
    send(&emulator, &agent, "ping").await;
    let mut both = Vec::new();
    for events in [&mut first, &mut second] {
        both.push([
            within(events.connection.chunk()).await,
            within(events.connection.chunk()).await,
        ]);
    }
    assert_eq!(both[0], both[1]);
    // Nothing is told again.
    let mut late = Events::open(&emulator, &agent).await;
    hold.release();
    for events in [&mut first, &mut second, &mut late] {
        let rest = events.until("turn_end").await;
        assert_eq!(names(&rest), ["output", "output", "turn_end"]);
        assert_eq!(rest[0].content(), "two");
    }
}

#[tokio::test]
async fn the_first_turn_of_an_agent_with_a_prompt_is_lost_to_later_readers() {
    let emulator = Emulator::start().await.unwrap();
    let agent = start(&emulator, json!({"prompt": "one"})).await;
    within(emulator.wait_for(|stats| stats.finished == 1)).await;
    let mut events = Events::open(&emulator, &agent).await;
    let turn = send(&emulator, &agent, "two").await;
    assert_eq!(events.next().await.data["turn_id"], turn.as_str());
}

#[tokio::test]
async fn a_reader_that_goes_away_only_unsubscribes() {
    let emulator = Emulator::start().await.unwrap();
    let hold = emulator.on_prompt("ping").reply("pong").hold();
    let agent = start(&emulator, json!({})).await;
    let gone = Events::open(&emulator, &agent).await;
    let mut stays = Events::open(&emulator, &agent).await;
    send(&emulator, &agent, "ping").await;
    drop(gone);
    within(emulator.wait_for(|stats| stats.subscribers == 1)).await;
    hold.release();
    assert_eq!(stays.until("turn_end").await[0].name, "turn_start");
    let stats = emulator.wait_for(|_| true).await;
    assert_eq!((stats.agents, stats.stopped, stats.finished), (1, 0, 1));
}

#[tokio::test]
async fn the_stream_of_an_exited_agent_is_silent_for_ever() {
    let emulator = Emulator::start().await.unwrap();
    emulator.on_prompt("die").fail(1, "boom");
    let agent = start(&emulator, json!({"prompt": "die"})).await;
    within(emulator.wait_for(|stats| stats.agents == 0)).await;
    let mut events = Events::open(&emulator, &agent).await;
    assert!(events.connection.is_silent(&emulator).await);
    // Not even the end of the agent ends it.
    delete(&emulator, &format!("/agents/{agent}")).await;
    assert!(events.connection.is_silent(&emulator).await);
    assert_eq!(emulator.wait_for(|_| true).await.subscribers, 1);
}

#[tokio::test]
async fn streams_can_be_cut_while_their_agents_go_on() {
    let emulator = Emulator::start().await.unwrap();
    let hold = emulator.on_prompt("ping").lines(["one", RESULT]).hold_after(1);
    let agent = start(&emulator, json!({})).await;
    let mut events = Events::open(&emulator, &agent).await;
    send(&emulator, &agent, "ping").await;
    assert_eq!(events.next().await.name, "turn_start");
    assert_eq!(events.next().await.content(), "one");
    emulator.close_streams();
    // No event, and not even the end of the body.
    assert_eq!(events.connection.rest().await, "");
    within(emulator.wait_for(|stats| stats.subscribers == 0)).await;
    let mut again = Events::open(&emulator, &agent).await;
    hold.release();
    assert_eq!(names(&again.until("turn_end").await), ["output", "turn_end"]);
}

#[tokio::test]
async fn a_dropped_emulator_cuts_the_streams_in_the_middle_of_a_turn() {
    let emulator = Emulator::start().await.unwrap();
    let _hold = emulator.on_prompt("ping").lines(["one", RESULT]).hold_after(1);
    let agent = start(&emulator, json!({})).await;
    let mut events = Events::open(&emulator, &agent).await;
    send(&emulator, &agent, "ping").await;
    events.next().await;
    events.next().await;
    drop(emulator);
    assert!(events.connection.is_closed().await);
}

#[tokio::test]
async fn a_stream_carries_a_thousand_turns() {
    let emulator = Emulator::start().await.unwrap();
    emulator.on_prompt("").reply("pong");
    let agent = start(&emulator, json!({})).await;
    let mut events = Events::open(&emulator, &agent).await;
    let mut length = None;
    for _ in 0..1000 {
        let id = send(&emulator, &agent, "ping").await;
        let turn = events.until("turn_end").await;
        assert!(turn.iter().all(|event| event.data["turn_id"] == id.as_str()));
        assert_eq!(*length.get_or_insert(turn.len()), turn.len());
    }
    let snapshot = look(&emulator, &agent).await;
    assert_eq!(snapshot["turns_completed"], 1000);
    let stats = emulator.wait_for(|_| true).await;
    assert_eq!(
        (stats.executions, stats.finished, stats.dropped_events),
        (1000, 1000, 0)
    );
    assert_eq!(get(&emulator, "/agents").await.json()[0], snapshot);
}
