//! What does not fit costs its own field alone, and what is new is data.

use serde_json::{Value, json};
use stromboli_messages::{
    ApiError, Block, Content, Delta, Event, Message, OriginKind, Outcome, RateLimitStatus, ResultSubtype, Role,
    StopReason, System, TerminalReason,
    rate_limit::RateLimitType,
    system::{SessionState, TaskType},
};

use crate::{
    strict::{Tree, assert_same, tree, write},
    vectors::lines,
};

fn parse(line: &Value) -> Message {
    let line = line.to_string();
    let message = Message::parse(line.as_str()).unwrap();
    assert_same(&line, &serde_json::to_string(&message).unwrap());
    message
}

/// Calls `each` with every line that is the same but for one plain value of a field, which fits no type any more.
fn misfits(line: &Tree, each: &mut impl FnMut(&str, String)) {
    fn walk(root: &Tree, path: &mut Vec<usize>, at: &Tree, each: &mut impl FnMut(&str, String)) {
        let inner: Vec<(Option<String>, &Tree)> = match at {
            Tree::Object(fields) => fields
                .iter()
                .map(|(name, value)| (String::from_utf16(name).ok(), value))
                .collect(),
            Tree::List(items) => items.iter().map(|item| (None, item)).collect(),
            _ => Vec::new(),
        };
        for (index, (name, value)) in inner.into_iter().enumerate() {
            path.push(index);
            if let (Some(name), Tree::Plain(_) | Tree::Text(_)) = (name, value) {
                let mut changed = root.clone();
                *follow(&mut changed, path) = tree(r#"{"no":["type","has"],"this":"shape"}"#);
                each(&name, write(&changed, false));
            }
            walk(root, path, value, each);
            path.pop();
        }
    }
    fn follow<'a>(tree: &'a mut Tree, path: &[usize]) -> &'a mut Tree {
        path.iter().fold(tree, |tree, index| match tree {
            Tree::Object(fields) => &mut fields[*index].1,
            Tree::List(items) => &mut items[*index],
            _ => unreachable!(),
        })
    }
    walk(line, &mut Vec::new(), line, each);
}

/// How many fields are typed: `Debug` shows each in a line of its own.
fn typed(message: &Message) -> usize {
    let shown = format!("{message:#?}");
    let field = |line: &&str| line.contains(": ") && !line.contains("extra: ");
    shown.lines().filter(field).count()
}

#[test]
fn a_value_that_does_not_fit_costs_its_own_field_alone() {
    let mut count = 0;
    for line in lines("examples").iter().chain(&lines("bash-tool")) {
        let whole = typed(&Message::parse(line.as_str()).unwrap());
        misfits(&tree(line), &mut |name, changed| {
            let message = Message::parse(changed.as_str()).unwrap();
            assert_same(&changed, &serde_json::to_string(&message).unwrap());
            let shown = format!("{message:?}");
            if ["type", "subtype"].contains(&name) {
                return;
            }
            count += 1;
            assert!(!shown.contains("Unknown"), "{name}: {shown}");
            assert!(shown.matches("extra: [").count() <= 1, "{name}: {shown}");
            assert!(typed(&message) + 1 >= whole, "{name}: {shown}");
        });
    }
    assert!(count > 1000, "{count}");
}

#[test]
fn a_null_reads_as_none_and_stays_apart_from_nothing() {
    let line = json!({"type": "assistant", "error": null, "message": {"stop_reason": null, "content": []}});
    let message = parse(&line);
    let Message::Assistant(mut assistant) = message.clone() else {
        panic!()
    };
    assert_eq!(assistant.error, None);
    assert!(message != parse(&json!({"type": "assistant", "message": {"stop_reason": null, "content": []}})));
    // What is set later wins, over a null and over a value that did not fit.
    assistant.error = Some(ApiError::Overloaded);
    assert_eq!(serde_json::to_value(&assistant).unwrap()["error"], "overloaded");
    assert_eq!(
        serde_json::to_string(&assistant).unwrap().matches("\"error\"").count(),
        1
    );
    let Message::Assistant(mut assistant) = parse(&json!({"type": "assistant", "error": 5})) else {
        panic!()
    };
    assert_eq!(assistant.extra.get("error").unwrap().get(), "5");
    assistant.error = Some(ApiError::Overloaded);
    assert_eq!(
        serde_json::to_string(&assistant).unwrap(),
        r#"{"type":"assistant","error":"overloaded"}"#
    );
    // What is put into `extra` by hand wins over a null only, and cannot make a key come twice.
    let Message::Assistant(mut null) = message.clone() else {
        panic!()
    };
    null.extra.insert("error", json!("mine"));
    assert!(serde_json::to_string(&null).unwrap().ends_with(r#","error":"mine"}"#));
    assert_eq!(serde_json::to_string(&null).unwrap().matches("\"error\"").count(), 1);
    assistant.extra.insert("type", json!("user"));
    assert_eq!(
        serde_json::to_string(&assistant).unwrap(),
        r#"{"type":"assistant","error":"overloaded"}"#
    );
}

#[test]
fn repeated_names_mean_the_last_one() {
    let message = Message::parse(r#"{"type":"user","uuid":"a","uuid":"b","x":1,"x":2}"#).unwrap();
    assert_eq!(message.uuid(), Some("b"));
    assert_eq!(
        serde_json::to_string(&message).unwrap(),
        r#"{"type":"user","uuid":"b","x":2}"#
    );
    let message = Message::parse(r#"{"type":"user","type":"assistant","uuid":"a","uuid":7}"#).unwrap();
    assert_eq!((message.type_name(), message.uuid()), ("assistant", None));
    assert_eq!(
        serde_json::to_string(&message).unwrap(),
        r#"{"type":"assistant","uuid":7}"#
    );
}

#[test]
fn new_types_and_subtypes_are_data() {
    let message = parse(
        &json!({"type": "new", "subtype": "s", "uuid": "u", "session_id": "i", "parent_tool_use_id": "p", "a": [1.0]}),
    );
    assert_eq!(
        (message.type_name(), message.uuid(), message.session_id()),
        ("new", Some("u"), Some("i"))
    );
    assert!(message.is_from_subagent());
    let Message::Unknown(unknown) = &message else { panic!() };
    assert_eq!(
        (unknown.subtype(), unknown.get("a").unwrap().get()),
        (Some("s"), "[1.0]")
    );
    assert!(unknown.raw().is_some());

    let message = parse(&json!({"type": "system", "subtype": "new", "uuid": "u"}));
    assert_eq!((message.type_name(), message.uuid()), ("system", Some("u")));
    assert!(matches!(&message, Message::System(system @ System::Unknown(_)) if system.subtype() == "new"));

    for line in [
        json!({}),
        json!({"type": null}),
        json!({"type": 5}),
        json!({"type": {"type": "user"}}),
    ] {
        let message = parse(&line);
        assert!(matches!(message, Message::Unknown(_)), "{message:?}");
        assert_eq!(message.type_name(), "");
    }
    let Message::Result(result) = parse(&json!({"type": "result", "subtype": "error_new", "is_error": true})) else {
        panic!()
    };
    assert_eq!(result.outcome(), Outcome::Other("error_new".into()));
}

#[test]
fn new_blocks_events_and_values_are_data() {
    let message = parse(&json!({"type": "assistant", "message": {"content": [
        {"x": 1.50, "type": "new_block", "y": []}, {"type": "text", "text": "t"}, 5, null, "loose", {"no": "type"}]}}));
    let assistant = message.as_assistant().unwrap();
    assert_eq!(assistant.text(), "t");
    let Block::Unknown(unknown) = &assistant.blocks()[0] else {
        panic!()
    };
    assert_eq!(
        (unknown.type_name(), unknown.get("x").unwrap().get()),
        (Some("new_block"), "1.5")
    );
    assert_eq!(
        assistant
            .blocks()
            .iter()
            .filter(|block| block.type_name().is_empty())
            .count(),
        4
    );

    let message = parse(&json!({"type": "stream_event", "event": {"type": "new", "index": 1}}));
    assert!(matches!(
        message.as_stream_event().unwrap().event,
        Some(Event::Unknown(_))
    ));
    let message =
        parse(&json!({"type": "stream_event", "event": {"type": "content_block_delta", "delta": {"type": "new"}}}));
    let Some(Event::ContentBlockDelta(event)) = &message.as_stream_event().unwrap().event else {
        panic!()
    };
    assert!(matches!(event.delta, Some(Delta::Unknown(_))));

    let message = parse(&json!({"type": "assistant", "error": "new", "message": {"role": "x", "stop_reason": "y"}}));
    let assistant = message.as_assistant().unwrap();
    assert_eq!(assistant.error, Some(ApiError::Other("new".into())));
    let message = assistant.message.as_ref().unwrap();
    assert_eq!(
        (message.role.clone(), message.stop_reason.clone()),
        (Some(Role::Other("x".into())), Some(StopReason::Other("y".into())))
    );
}

#[test]
fn every_listed_value_is_known() {
    macro_rules! known {
        ($($name:ident: $values:literal;)+) => {$(
            for value in $values.split(' ') {
                assert!(!matches!($name::from(value), $name::Other(_)), "{value}");
                assert_eq!($name::from(value).as_str(), value);
            }
        )+};
    }
    known! {
        ApiError: "authentication_failed oauth_org_not_allowed account_on_hold verification_required billing_error \
            rate_limit overloaded invalid_request model_not_found server_error max_output_tokens cloud_credential_error unknown";
        TerminalReason: "completed max_turns budget_exhausted structured_output_retry_exhausted prompt_too_long image_error \
            model_error api_error aborted_streaming aborted_tools stop_hook_prevented hook_stopped tool_deferred \
            tool_deferred_unavailable blocking_limit rapid_refill_breaker malformed_tool_use_exhausted background_requested \
            turn_setup_failed";
        ResultSubtype: "success error_during_execution error_max_turns error_max_budget_usd error_max_structured_output_retries";
        RateLimitStatus: "allowed allowed_warning rejected";
        RateLimitType: "five_hour seven_day seven_day_opus seven_day_sonnet seven_day_overage_included overage";
        TaskType: "local_bash local_agent remote_agent in_process_teammate local_workflow monitor_mcp dream";
        SessionState: "idle running requires_action";
        StopReason: "end_turn max_tokens stop_sequence tool_use pause_turn compaction refusal model_context_window_exceeded";
        OriginKind: "human channel peer task-notification coordinator unclassified observer auto-continuation observer-activity";
    }
}

#[test]
fn content_says_whether_it_was_a_string() {
    let message = parse(&json!({"type": "user", "message": {"content": "hi"}}));
    let user = message.as_user().unwrap();
    assert_eq!(user.message.as_ref().unwrap().content, Some(Content::from("hi")));
    assert_eq!(user.text(), "hi");
    assert!(matches!(&user.blocks()[..], [Block::Text(block)] if block.text() == "hi"));
}

#[test]
fn outcomes_tell_failures_apart() {
    let outcome = |line: Value| parse(&line).as_result().unwrap().outcome();
    assert!(outcome(json!({"type": "result", "subtype": "success", "is_error": false})).is_ok());
    assert!(outcome(json!({"type": "result", "subtype": "success"})).is_ok());
    for (subtype, status, expected) in [
        ("success", Some(529), Outcome::ApiError { status: Some(529) }),
        ("success", None, Outcome::ApiError { status: None }),
        ("error_max_turns", None, Outcome::MaxTurns),
        ("error_max_budget_usd", None, Outcome::Budget),
        ("error_max_structured_output_retries", None, Outcome::StructuredOutput),
        ("error_during_execution", Some(500), Outcome::Execution),
    ] {
        let found =
            outcome(json!({"type": "result", "subtype": subtype, "is_error": true, "api_error_status": status}));
        assert_eq!(found, expected);
        assert!(!found.is_ok());
    }
    assert!(!outcome(json!({"type": "result"})).is_ok());
}

#[test]
fn messages_are_read_from_and_written_to_values_and_readers_too() {
    let value =
        json!({"type": "assistant", "uuid": null, "error": 5, "message": {"content": [{"type": "text", "text": "t"}]}});
    let message: Message = serde_json::from_value(value.clone()).unwrap();
    assert_eq!(message.as_assistant().unwrap().text(), "t");
    assert_eq!(message.raw(), None);
    assert_eq!(serde_json::to_value(&message).unwrap(), value);
    let read: Vec<Message> = serde_json::from_reader(format!("[{value}]").as_bytes()).unwrap();
    assert_eq!(read, [message]);
    let block: Block = serde_json::from_str(r#"{"text":"t","type":"text"}"#).unwrap();
    assert_eq!(block, Block::Text(stromboli_messages::TextBlock::new("t")));
    assert!(serde_json::from_str::<Message>("5").is_err());
    assert!(serde_json::from_str::<stromboli_messages::TextBlock>(r#"{"type":"thinking"}"#).is_err());
}
