//! `stromboli sessions`.

use insta::assert_snapshot;
use stromboli_emulator::Fault;

use crate::support::World;

const ID: &str = "7b1f0c3e-52d4-4a86-9d0b-f3c8e6a41297";

/// A session with so many messages, a tool and a line of Claude Code's own.
async fn talked(messages: usize) -> World {
    let world = World::new().await;
    let line = |type_: &str, n: usize, content: &str| {
        format!(
            r#"{{"type":"{type_}","uuid":"u-{n}","sessionId":"{ID}","timestamp":"2026-05-06T10:00:00Z","message":{{"role":"{type_}","content":{content}}}}}"#
        )
    };
    let mut lines = vec![
        line("user", 0, r#""List the files""#),
        line(
            "assistant",
            1,
            r#"[{"type":"text","text":"Sure."},{"type":"tool_use","id":"t","name":"Bash","input":{"command":"ls"}}]"#,
        ),
        line(
            "user",
            2,
            r#"[{"type":"tool_result","tool_use_id":"t","content":"a\nb"}]"#,
        ),
        format!(
            r#"{{"type":"summary","uuid":"u-3","sessionId":"{ID}","timestamp":"2026-05-06T10:00:00Z","summary":"x"}}"#
        ),
    ];
    lines.extend((4..messages).map(|n| line("assistant", n, &format!(r#"[{{"type":"text","text":"number {n}"}}]"#))));
    world.emulator().add_session(ID, &lines.join("\n"));
    world
}

#[tokio::test]
async fn sessions_are_listed_read_and_exported() {
    let world = talked(0).await;
    assert_snapshot!(world.run(&["sessions", "list"]).await.shown(&world), @r#"
exit 0
--- stdout
SESSION                               TITLE
[id]
--- stderr
"#);
    assert_snapshot!(world.run(&["sessions", "messages", ID]).await.shown(&world), @r#"
exit 0
--- stdout
user · 2026-05-06 10:00:00 UTC
List the files

assistant · 2026-05-06 10:00:00 UTC
Sure.

[Bash {"command":"ls"}]

tool · 2026-05-06 10:00:00 UTC
[a b]
--- stderr
"#);
    assert_snapshot!(world.run(&["sessions", "export", ID, "--format", "markdown"]).await.shown(&world), @r#"
exit 0
--- stdout
# Session [id]

## user · 2026-05-06 10:00:00 UTC

List the files

## assistant · 2026-05-06 10:00:00 UTC

Sure.

**Bash**

```json
{"command":"ls"}
```

## tool · 2026-05-06 10:00:00 UTC

```
a
b
```
--- stderr
"#);
    let exported = world.run(&["sessions", "export", ID]).await.stdout;
    let lines: Vec<serde_json::Value> = exported
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 4);
    assert_eq!(lines[3]["uuid"], "u-3");
}

#[tokio::test]
async fn long_conversations_are_read_page_by_page_as_far_as_wanted() {
    let world = talked(450).await;
    let all = world.run(&["sessions", "messages", ID, "-o", "ndjson"]).await;
    assert_eq!(all.stdout.lines().count(), 450);
    assert_eq!(world.run(&["sessions", "export", ID]).await.stdout, all.stdout);
    let part = world
        .run(&[
            "sessions", "messages", ID, "-o", "json", "--offset", "100", "--limit", "70",
        ])
        .await;
    let part = part.json();
    assert_eq!(part.as_array().unwrap().len(), 70);
    assert_eq!(
        (&part[0]["uuid"], &part[69]["uuid"]),
        (&"u-100".into(), &"u-169".into())
    );
    assert_eq!(
        world
            .run(&["sessions", "messages", ID, "--limit", "0", "-o", "json"])
            .await
            .stdout,
        "[]\n"
    );
}

#[tokio::test]
async fn an_export_that_fails_says_so() {
    let world = talked(450).await;
    let fault = Fault::status(500).on("/sessions/{id}/messages");
    world.emulator().inject(fault);
    let done = world.run(&["sessions", "export", ID, "--format", "markdown"]).await;
    assert_eq!((done.code, done.stdout.as_str()), (1, ""));
    world.emulator().clear_faults();
    assert_eq!(world.run(&["sessions", "messages", "none"]).await.code, 7);
}

#[tokio::test]
async fn a_session_is_deleted_only_after_a_yes() {
    let world = talked(0).await;
    let done = world.run(&["sessions", "rm", ID]).await;
    assert_eq!(done.code, 2);
    assert!(done.stderr.contains("--yes"), "{}", done.stderr);
    assert!(world.emulator().transcript(ID).is_some());
    assert_eq!(world.run(&["sessions", "rm", ID, "--yes"]).await.code, 0);
    assert!(world.emulator().transcript(ID).is_none());
    assert_eq!(world.run(&["sessions", "rm", ID, "--yes"]).await.code, 7);
}
