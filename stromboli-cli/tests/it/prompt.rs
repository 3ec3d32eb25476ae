//! Where a prompt comes from.

use crate::support::{World, text};

#[tokio::test]
async fn a_prompt_is_an_argument_a_pipe_or_a_file() {
    let world = World::new().await;
    let file = world.file("task.md", "from a file\n");
    for (arguments, input, prompt) in [
        (&["run", "as an argument"][..], "", "as an argument"),
        (&["run", "-"], "from a dash\n", "from a dash\n"),
        (&["run"], "from a pipe\n", "from a pipe\n"),
        (&["run", "-f", text(&file)], "", "from a file\n"),
    ] {
        let done = world.run_with_input(arguments, input).await;
        assert_eq!(done.code, 0, "{}", done.stderr);
        assert_eq!(world.sent()["prompt"], prompt);
    }
}

#[tokio::test]
async fn no_prompt_and_no_terminal_is_a_usage_error() {
    let world = World::new().await;
    let done = world.run(&["run"]).await;
    insta::assert_snapshot!(done.shown(&world), @r#"
exit 2
--- stdout
--- stderr
error: there is no prompt
  hint: give it as an argument, through a pipe, or with -f FILE
"#);
    let missing = world.run(&["run", "-f", "no-such-file"]).await;
    assert_eq!(missing.code, 2);
    assert!(
        missing.stderr.contains("no-such-file cannot be read"),
        "{}",
        missing.stderr
    );
}
