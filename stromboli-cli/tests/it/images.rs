//! `stromboli images`.

use insta::assert_snapshot;
use stromboli_emulator::Emulator;

use crate::support::World;

#[tokio::test]
async fn images_are_listed_shown_and_searched() {
    let world = World::new().await;
    assert_snapshot!(world.run(&["images", "list"]).await.shown(&world), @r#"
exit 0
--- stdout
IMAGE                             SIZE      RANK
localhost/stromboli-agent:latest  1.2 GB    3
localhost/claude-code:latest      910.0 MB  3
docker.io/library/python:3.12     1.0 GB    3
docker.io/library/node:22         1.1 GB    3
docker.io/library/rust:1.90       1.4 GB    3
docker.io/library/alpine:3.20     7.8 MB    4
--- stderr
"#);
    assert_snapshot!(world.run(&["images", "search", "python", "--limit", "2"]).await.shown(&world), @r#"
exit 0
--- stdout
IMAGE                     STARS  OFFICIAL  DESCRIPTION
docker.io/library/python  9900   yes       Interpreter of Python with its standard libr...
docker.io/mirror0/python  10               Interpreter of Python with its standard libr...
--- stderr
"#);
    let done = world.run(&["images", "get", "python:3.12"]).await;
    assert!(
        done.code == 0 && done.stdout.contains("docker.io/library/python:3.12"),
        "{}",
        done.stdout
    );
    let found = world
        .run(&["images", "search", "python", "--no-trunc", "-o", "json"])
        .await
        .json();
    assert!(!found[0]["description"].as_str().unwrap().ends_with("..."), "{found}");
}

#[tokio::test]
async fn an_image_that_is_not_there_is_7_and_a_slash_is_explained() {
    let world = World::new().await;
    assert_eq!(world.run(&["images", "get", "nope"]).await.code, 7);
    let done = world.run(&["images", "get", "localhost/stromboli-agent"]).await;
    assert_eq!(done.code, 7);
    assert!(done.stderr.contains("`stromboli images list`"), "{}", done.stderr);
}

#[tokio::test]
async fn a_pull_prints_the_id_of_the_image_for_its_platform() {
    let world = World::with(Emulator::builder().registry_image("ghcr.io/acme/agent:2")).await;
    let done = world
        .run(&["images", "pull", "ghcr.io/acme/agent:2", "--platform", "linux/arm64"])
        .await;
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert!(
        done.stdout.trim_end().len() == 64 && done.stderr.contains("is there"),
        "{}",
        done.stdout
    );
    let requests = world.emulator().requests();
    let body: serde_json::Value = serde_json::from_slice(&requests.last().unwrap().body).unwrap();
    assert_eq!(body["platform"], "linux/arm64");
    assert_eq!(world.run(&["images", "pull", "nope"]).await.code, 1);
}

#[tokio::test]
async fn without_a_registry_a_search_is_5() {
    let world = World::with(Emulator::builder().registry_reachable(false)).await;
    assert_eq!(world.run(&["images", "search", "python"]).await.code, 5);
}
