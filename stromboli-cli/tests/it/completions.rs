//! `stromboli completions`, `man` and `reference`: what is made of the command line itself.

use crate::support::World;

/// What the shell is offered for the last of these words.
async fn offered(world: &World, words: &[&str]) -> Vec<String> {
    let mut line = vec!["--", "stromboli"];
    line.extend(words);
    let index = (line.len() - 2).to_string();
    let variables = [("STROMBOLI_COMPLETE", "fish"), ("_CLAP_COMPLETE_INDEX", index.as_str())];
    let done = world.run_with(&variables, &line).await;
    assert_eq!(done.code, 0, "{}", done.stderr);
    let word = |line: &str| line.split('\t').next().unwrap_or_default().to_owned();
    done.stdout.lines().map(word).collect()
}

#[tokio::test]
async fn each_shell_gets_a_script_that_asks_the_program() {
    let world = World::without_server();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let done = world.run(&["completions", shell]).await;
        assert_eq!(done.code, 0, "{}", done.stderr);
        assert!(done.stdout.contains("STROMBOLI_COMPLETE"), "{shell}: {}", done.stdout);
    }
    assert_eq!(world.run(&["completions", "tcsh"]).await.code, 2);
}

#[tokio::test]
async fn commands_and_options_are_completed() {
    let world = World::without_server();
    assert!(offered(&world, &["hea"]).await.contains(&"health".to_owned()));
    assert!(offered(&world, &["run", "--mo"]).await.contains(&"--model".to_owned()));
    // Without a server there are no ids, and nothing is said about it.
    assert_eq!(offered(&world, &["jobs", "get", "job-"]).await, [""; 0]);
}

#[tokio::test]
async fn ids_are_those_that_the_server_has() {
    let world = World::new().await;
    let client = stromboli::Client::new(world.emulator().url()).unwrap();
    let job = client.start("work").await.unwrap();
    assert_eq!(offered(&world, &["jobs", "get", "job-"]).await, [job.id()]);
    // `--url` on the line counts more than the environment.
    let elsewhere = World::new().await;
    let words = ["--url", world.emulator().url(), "jobs", "get", "job-"];
    assert_eq!(offered(&elsewhere, &words).await, [job.id()]);
    assert_eq!(offered(&elsewhere, &["jobs", "get", "job-"]).await, [""; 0]);
}

#[tokio::test]
async fn there_is_a_manual_page_for_each_command() {
    let world = World::without_server();
    let done = world.run(&["man", "pages/man1"]).await;
    assert_eq!(done.code, 0, "{}", done.stderr);
    let page = |name: &str| std::fs::read_to_string(world.here().join("pages/man1").join(name)).unwrap();
    assert!(page("stromboli.1").contains("Exit codes"));
    assert!(page("stromboli-run.1").contains("\\-\\-model"));
    assert!(page("stromboli-jobs-list.1").contains("the newest first"));
}

#[tokio::test]
async fn the_reference_has_the_help_of_each_command_and_is_the_same_everywhere() {
    let world = World::without_server();
    let done = world.run(&["reference"]).await;
    assert!(done.stdout.contains("\n## stromboli jobs list\n"), "{}", done.stdout);
    assert!(!done.stdout.contains("reference\n\n```"), "it does not list itself");
    let narrow = world.run_with(&[("COLUMNS", "40")], &["reference"]).await;
    assert_eq!(narrow.stdout, done.stdout);
}
