//! Live agents: conversations with the emulator, as users have them.

use futures_util::TryStreamExt;
use serde_json::json;
use stromboli::{
    AgentEventKind, AgentHandle, AgentRequest, AgentStatus, Block, ClaudeOptions, Client, ErrorKind, Message, Outcome,
};
use stromboli_emulator::Emulator;

use crate::support::within;

pub(crate) async fn emulator() -> (Emulator, Client) {
    let emulator = Emulator::start().await.unwrap();
    let client = Client::new(emulator.url()).unwrap();
    (emulator, client)
}

pub(crate) async fn spawn(client: &Client) -> AgentHandle {
    within(client.agents().spawn(AgentRequest::new())).await.unwrap()
}

/// The requests so far, without the one that spawned the agent.
fn requests(emulator: &Emulator) -> Vec<String> {
    let requests = emulator.requests();
    let short = |target: &str| target.splitn(4, '/').nth(3).unwrap_or_default().to_owned();
    requests
        .iter()
        .skip(1)
        .map(|r| format!("{} {}", r.method, short(&r.target)).trim().to_owned())
        .collect()
}

#[tokio::test]
async fn a_turn_is_a_stream_of_typed_messages_that_ends_with_its_result() {
    let (emulator, client) = emulator().await;
    emulator.on_prompt("ping").reply("pong");
    let agent = spawn(&client).await;
    let mut turn = within(agent.send("ping")).await.unwrap();
    assert!(turn.id().starts_with("turn-"));

    let mut types = Vec::new();
    let (mut said, mut streamed) = (String::new(), String::new());
    while let Some(message) = within(turn.try_next()).await.unwrap() {
        types.push(message.type_name().to_owned());
        match &message {
            Message::Assistant(m) => said.push_str(&m.text()),
            Message::StreamEvent(event) => streamed.push_str(event.text().unwrap_or_default()),
            Message::Unknown(_) => panic!("{:?}", message.raw()),
            _ => {}
        }
    }
    assert_eq!((said.as_str(), streamed.as_str()), ("pong", "pong"));
    assert_eq!(
        (types[0].as_str(), types.last().unwrap().as_str()),
        ("system", "result")
    );
    assert!(within(turn.try_next()).await.unwrap().is_none());
    assert_eq!(within(agent.status()).await.unwrap(), AgentStatus::Idle);
}

#[tokio::test]
async fn a_turn_is_subscribed_to_before_its_prompt_is_sent() {
    let (emulator, client) = emulator().await;
    let agent = spawn(&client).await;
    within(agent.ask("hello")).await.unwrap();
    assert_eq!(requests(&emulator), ["GET", "GET stream", "POST send"]);
}

#[tokio::test]
async fn a_prompt_given_at_spawn_is_sent_after_subscribing_and_loses_nothing() {
    let (emulator, client) = emulator().await;
    emulator.on_prompt("first").reply("I was first");
    let mut agent = within(client.agents().spawn("first")).await.unwrap();
    assert!(emulator.requests()[0].body.is_empty() || !emulator.requests()[0].body.ends_with(b"first\"}"));
    assert_eq!(requests(&emulator), ["GET stream", "POST send"]);

    let result = within(agent.first_turn().unwrap().finish()).await.unwrap();
    assert_eq!(result.text, "I was first");
    assert!(result.is_complete());
    assert!(matches!(result.messages[0], Message::System(_)));
    assert!(agent.first_turn().is_none());
    assert_eq!(within(agent.get()).await.unwrap().turns_completed, 1);
}

#[tokio::test]
async fn an_agent_that_cannot_be_given_its_first_prompt_is_stopped_again() {
    let (emulator, client) = emulator().await;
    let error = within(client.agents().spawn("  ")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadRequest, "{error}");
    assert!(!error.may_have_executed());
    assert_eq!(within(client.agents().list()).await.unwrap(), []);
    assert_eq!(emulator.executions(), 0);
}

#[tokio::test]
async fn asking_gives_text_outcome_tokens_and_what_the_conversation_has_cost() {
    let (emulator, client) = emulator().await;
    emulator.on_prompt("one").reply("first answer");
    emulator.on_prompt("two").reply("second answer");
    let agent = spawn(&client).await;

    let first = within(agent.ask("one")).await.unwrap().ok().unwrap();
    let second = within(agent.ask("two")).await.unwrap().ok().unwrap();
    assert_eq!(
        (first.text.as_str(), second.text.as_str()),
        ("first answer", "second answer")
    );
    assert_eq!(second.outcome, Outcome::Ok);
    assert!(second.usage.unwrap().output_tokens.unwrap() > 0);
    assert!(second.total_cost_usd.unwrap() > first.total_cost_usd.unwrap());
    assert_eq!(second.messages.last().unwrap().type_name(), "result");
    assert_eq!(emulator.executions(), 2);
}

#[tokio::test]
async fn tools_and_their_results_are_messages_of_the_turn() {
    let (emulator, client) = emulator().await;
    emulator
        .on_prompt("list")
        .tool("Bash", json!({"command": "ls"}), "main.rs")
        .reply("One file.");
    let agent = spawn(&client).await;
    let result = within(agent.ask("list")).await.unwrap();

    let tools: Vec<_> = result
        .messages
        .iter()
        .filter_map(Message::as_assistant)
        .flat_map(|m| m.tool_uses())
        .collect();
    assert_eq!(tools.len(), 1);
    assert_eq!(tools[0].name.as_deref(), Some("Bash"));
    assert_eq!(
        tools[0].input.as_ref().unwrap().to_value().unwrap(),
        json!({"command": "ls"})
    );
    let answered = result
        .messages
        .iter()
        .filter_map(Message::as_user)
        .flat_map(|m| m.tool_results())
        .next()
        .unwrap();
    assert_eq!(
        (answered.tool_use_id.as_ref(), answered.text().as_ref()),
        (tools[0].id.as_ref(), "main.rs")
    );
    assert!(result.is_complete());
}

#[tokio::test]
async fn structured_output_of_an_agent_is_there_even_where_the_result_lacks_it() {
    let (emulator, client) = emulator().await;
    emulator.on_prompt("score").reply(r#"{"score":7}"#);
    let lacking = [
        json!({"type": "assistant", "message": {"content": [
            {"type": "tool_use", "id": "t1", "name": "StructuredOutput", "input": {"score": 8}}]}}),
        json!({"type": "result", "subtype": "success", "is_error": false, "result": ""}),
    ];
    emulator.on_prompt("lacking").messages(lacking);
    let claude = ClaudeOptions::new().json_schema(json!({"type": "object"}));
    let agent = within(client.agents().spawn(AgentRequest::new().claude(claude)))
        .await
        .unwrap();

    let result = within(agent.ask("score")).await.unwrap();
    assert_eq!(result.structured.unwrap().to_value().unwrap(), json!({"score": 7}));
    let result = within(agent.ask("lacking")).await.unwrap();
    assert_eq!(result.structured.unwrap().to_value().unwrap(), json!({"score": 8}));
}

#[tokio::test]
async fn a_turn_that_failed_is_a_result_and_an_error_when_asked() {
    let (emulator, client) = emulator().await;
    let api_error = json!({"type": "result", "subtype": "success", "is_error": true, "api_error_status": 529,
        "result": "Overloaded"});
    emulator.on_prompt("overload").messages([api_error]);
    let agent = spawn(&client).await;

    let result = within(agent.ask("overload")).await.unwrap();
    assert_eq!(result.outcome, Outcome::ApiError { status: Some(529) });
    let error = result.ok().unwrap_err();
    assert!(error.is_agent_failed() && error.may_have_executed());
    assert!(error.to_string().contains("529"), "{error}");
    assert_eq!(error.body(), b"Overloaded");
}

#[tokio::test]
async fn a_busy_agent_refuses_the_next_prompt() {
    let (emulator, client) = emulator().await;
    let hold = emulator.on_prompt("long").reply("done").hold();
    let agent = spawn(&client).await;
    let turn = within(agent.send("long")).await.unwrap();
    assert_eq!(within(agent.status()).await.unwrap(), AgentStatus::Generating);

    let error = within(agent.send("another")).await.unwrap_err();
    assert_eq!((error.kind(), error.may_have_executed()), (ErrorKind::AgentBusy, false));
    hold.release();
    assert_eq!(within(turn.finish()).await.unwrap().text, "done");
    assert_eq!(emulator.executions(), 1);
}

#[tokio::test]
async fn a_dropped_turn_goes_on_and_can_be_waited_for_with_events() {
    let (emulator, client) = emulator().await;
    let hold = emulator.on_prompt("long").reply("done").hold();
    let agent = spawn(&client).await;
    drop(within(agent.send("long")).await.unwrap());
    within(emulator.wait_for(|stats| stats.subscribers == 0)).await;

    let mut events = within(agent.events()).await.unwrap();
    hold.release();
    loop {
        match within(events.try_next()).await.unwrap().unwrap().kind {
            AgentEventKind::TurnEnd => break,
            AgentEventKind::Lagged => panic!("joining in mid-turn is no hole"),
            _ => {}
        }
    }
    assert_eq!(within(agent.ask("again")).await.unwrap().outcome, Outcome::Ok);
}

#[tokio::test]
async fn events_are_those_of_all_turns_raw_and_typed() {
    let (emulator, client) = emulator().await;
    emulator.on_prompt("ping").stderr("a warning").reply("pong");
    let agent = spawn(&client).await;
    let events = within(agent.events()).await.unwrap();
    let (first, second) = (
        within(agent.ask("ping")).await.unwrap(),
        within(agent.ask("ping")).await.unwrap(),
    );
    within(agent.stop()).await.unwrap();

    let events: Vec<_> = within(events.try_collect()).await.unwrap();
    let count = |is: fn(&AgentEventKind) -> bool| events.iter().filter(|event| is(&event.kind)).count();
    assert_eq!(count(|kind| matches!(kind, AgentEventKind::TurnStart)), 2);
    assert_eq!(count(|kind| matches!(kind, AgentEventKind::TurnEnd)), 2);
    assert_eq!(
        count(|kind| matches!(kind, AgentEventKind::Stderr(line) if line == "a warning")),
        2
    );
    assert_eq!(count(|kind| matches!(kind, AgentEventKind::Exited(_))), 1);
    assert_eq!(count(|kind| matches!(kind, AgentEventKind::Lagged)), 0);
    let messages: Vec<_> = events
        .iter()
        .filter_map(|event| match &event.kind {
            AgentEventKind::Message(message) => Some(message),
            _ => None,
        })
        .collect();
    assert_eq!(messages.len(), first.messages.len() + second.messages.len());
    for message in messages {
        let raw: serde_json::Value = serde_json::from_str(message.raw().unwrap()).unwrap();
        assert_eq!(serde_json::to_value(message).unwrap(), raw);
    }
    assert!(events.iter().all(|event| event.at.is_some()));
}

#[tokio::test]
async fn an_agent_can_be_taken_up_by_its_id() {
    let (emulator, client) = emulator().await;
    emulator.on_prompt("ping").reply("pong");
    let agent = spawn(&client).await;
    let same = Client::new(emulator.url()).unwrap().agent(agent.id());
    assert_eq!((same.session_id(), same.id()), (None, agent.id()));
    assert!(agent.session_id().is_some());
    assert_eq!(within(same.ask("ping")).await.unwrap().text, "pong");
}

#[tokio::test]
async fn a_turn_can_be_read_in_part_and_then_finished() {
    let (emulator, client) = emulator().await;
    emulator.on_prompt("ping").reply("pong");
    let agent = spawn(&client).await;
    let mut turn = within(agent.send("ping")).await.unwrap();
    let first = within(turn.try_next()).await.unwrap().unwrap();
    let rest = within(turn.finish()).await.unwrap();
    assert_eq!((first.type_name(), rest.text.as_str()), ("system", "pong"));
    let blocks = rest
        .messages
        .iter()
        .filter_map(Message::as_assistant)
        .flat_map(|m| m.blocks());
    assert!(matches!(blocks.collect::<Vec<_>>()[..], [Block::Text(_)]));
}

#[tokio::test]
async fn two_subscribers_see_the_same() {
    let (emulator, client) = emulator().await;
    emulator
        .on_prompt("list")
        .tool("Bash", json!({"command": "ls"}), "main.rs")
        .reply("One file.");
    let agent = spawn(&client).await;
    let (mut one, mut two) = (
        within(agent.events()).await.unwrap(),
        within(agent.events()).await.unwrap(),
    );
    let result = within(agent.ask("list")).await.unwrap();
    loop {
        let (one, two) = (
            within(one.try_next()).await.unwrap().unwrap(),
            within(two.try_next()).await.unwrap().unwrap(),
        );
        assert_eq!(one, two);
        if matches!(one.kind, AgentEventKind::TurnEnd) {
            break;
        }
    }
    assert!(result.is_complete());
}

#[tokio::test]
async fn what_an_agent_says_and_is_told_is_not_shown() {
    let (emulator, client) = emulator().await;
    emulator
        .on_prompt("hush")
        .stderr("hush: stderr")
        .tool("Bash", json!({"command": "hush"}), "hush")
        .reply("hush hush");
    let agent = spawn(&client).await;
    let mut events = within(agent.events()).await.unwrap();
    let turn = within(agent.send("hush")).await.unwrap();
    let shown = format!("{agent:?} {turn:?} {events:?}");
    let result = within(turn.finish()).await.unwrap();
    let mut shown = format!("{shown} {result:?} {result:#?}");
    loop {
        let event = within(events.try_next()).await.unwrap().unwrap();
        shown.push_str(&format!("{event:?} {event:#?}"));
        if matches!(event.kind, AgentEventKind::TurnEnd) {
            break;
        }
    }
    assert!(!shown.contains("hush"), "{shown}");
}
