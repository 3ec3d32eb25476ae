//! `/images`.

use serde_json::{Value, json};
use stromboli_emulator::Emulator;

use crate::client::{Response, get, post};

async fn list(emulator: &Emulator) -> Vec<Value> {
    get(emulator, "/images").await.json()["images"]
        .as_array()
        .unwrap()
        .clone()
}

async fn pull(emulator: &Emulator, body: Value) -> Response {
    post(emulator, "/images/pull", body.to_string()).await
}

async fn search(emulator: &Emulator, query: &str) -> Vec<Value> {
    let response = get(emulator, &format!("/images/search?{query}")).await;
    assert_eq!(response.status, 200, "{}", response.body);
    response.json()["results"].as_array().unwrap().clone()
}

#[tokio::test]
async fn the_list_is_sorted_by_ranks_and_knows_no_labels() {
    let emulator = Emulator::start().await.unwrap();
    let images = list(&emulator).await;
    let ranks: Vec<_> = images
        .iter()
        .map(|image| image["compatibility_rank"].as_u64().unwrap())
        .collect();
    assert!(
        ranks.is_sorted() && ranks.first() == Some(&3) && ranks.contains(&4),
        "{ranks:?}"
    );
    let repositories: Vec<_> = images
        .iter()
        .map(|image| image["repository"].as_str().unwrap())
        .collect();
    for repository in [
        "localhost/stromboli-agent",
        "docker.io/library/python",
        "docker.io/library/alpine",
    ] {
        assert!(repositories.contains(&repository), "{repositories:?}");
    }
    for image in &images {
        let fields: Vec<_> = image.as_object().unwrap().keys().map(String::as_str).collect();
        let always = [
            "compatibility_rank",
            "compatible",
            "created",
            "has_claude_cli",
            "id",
            "repository",
            "size",
            "tag",
        ];
        assert_eq!(fields, always);
        assert_eq!(image["has_claude_cli"], false);
        assert_eq!(image["compatible"], image["compatibility_rank"] != 4);
        assert_eq!(image["id"].as_str().unwrap().len(), 64);
        assert!(image["size"].as_i64().unwrap() > 1_000_000);
    }
}

#[tokio::test]
async fn a_look_reads_the_labels() {
    let emulator = Emulator::start().await.unwrap();
    let agent = get(&emulator, "/images/stromboli-agent").await.json();
    assert_eq!(
        (&agent["compatibility_rank"], &agent["has_claude_cli"]),
        (&json!(1), &json!(true))
    );
    assert_eq!(
        (&agent["tag"], &agent["labels"]["ai.stromboli.compatible"]),
        (&json!("latest"), &json!("true"))
    );
    assert!(agent["tools"].as_array().unwrap().contains(&json!("git")));
    assert!(agent["description"].is_string() && agent["rank_description"].is_string());
    let claude = get(&emulator, "/images/claude-code:latest").await.json();
    assert_eq!(
        (&claude["compatibility_rank"], &claude["has_claude_cli"]),
        (&json!(2), &json!(true))
    );
    let python = get(&emulator, "/images/python:3.12").await;
    let json = python.json();
    let (id, size, created) = (&json["id"], &json["size"], &json["created"]);
    let expected = format!(
        r#"{{"id":{id},"repository":"docker.io/library/python","tag":"3.12","size":{size},"created":{created},"compatibility_rank":3,"compatible":true,"has_claude_cli":false,"rank_description":"Standard glibc-based (compatible)"}}"#
    );
    assert_eq!((python.status, python.body), (200, expected));
    let alpine = get(&emulator, "/images/alpine:3.20").await.json();
    assert_eq!(
        (&alpine["compatibility_rank"], &alpine["compatible"]),
        (&json!(4), &json!(false))
    );
    let listed = list(&emulator).await;
    assert!(listed.iter().any(|image| image["id"] == json["id"]));
}

#[tokio::test]
async fn an_image_is_found_by_its_id_too() {
    let emulator = Emulator::start().await.unwrap();
    let id = get(&emulator, "/images/python:3.12").await.json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    for id in [&id[..], &id[..12]] {
        assert_eq!(get(&emulator, &format!("/images/{id}")).await.json()["tag"], "3.12");
    }
    assert_eq!(get(&emulator, &format!("/images/{}", &id[..11])).await.status, 404);
}

#[tokio::test]
async fn the_time_is_the_servers_own_with_a_z() {
    let created = async |minutes: i32| {
        let emulator = Emulator::builder().utc_offset_minutes(minutes).start().await.unwrap();
        list(&emulator).await[0]["created"].as_str().unwrap().to_owned()
    };
    let (utc, ahead) = (created(0).await, created(90).await);
    let times = [&utc, &ahead].map(|time| time.parse::<jiff::Timestamp>().unwrap());
    assert!(utc.len() == 20 && utc.ends_with('Z'), "{utc}");
    assert_eq!(times[1].duration_since(times[0]).as_mins(), 90);
}

#[tokio::test]
async fn a_name_is_one_segment_of_the_path() {
    let emulator = Emulator::start().await.unwrap();
    for name in [
        "library/python:3.12",
        "library%2Fpython:3.12",
        "docker.io%2Flibrary%2Fpython:3.12",
    ] {
        let response = get(&emulator, &format!("/images/{name}")).await;
        assert_eq!((response.status, response.body.as_str()), (404, "404 page not found"));
        assert_eq!(response.header("content-type"), Some("text/plain"));
    }
    // A name like a route belongs to the route.
    let search = get(&emulator, "/images/search").await;
    assert_eq!(search.body, r#"{"error":"query parameter 'q' is required"}"#);
    assert_eq!(
        get(&emulator, "/images/pull").await.body,
        r#"{"error":"image not found"}"#
    );
}

#[tokio::test]
async fn what_is_no_name_is_refused_and_what_is_not_there_is_not_found() {
    let emulator = Emulator::start().await.unwrap();
    let long = "a".repeat(256);
    let bad = [
        "-a", ".a", "_a", ":a", "@a", "a%20b", "a+b", "a%5Cb", "%C3%A9", "a::b", "a...b", "a---b", "a___b", "a@b@c",
        &long,
    ];
    for name in bad {
        let refused = get(&emulator, &format!("/images/{name}")).await;
        assert_eq!(refused.status, 400, "{name}");
        assert!(
            refused.body.starts_with(r#"{"error":"validation error: "#),
            "{}",
            refused.body
        );
    }
    for name in [
        "none",
        "python",
        "python:3.1",
        "a..b",
        "a--b__c",
        "python@sha256:0",
        "9",
        &long[..255],
    ] {
        let missing = get(&emulator, &format!("/images/{name}")).await;
        assert_eq!(
            (missing.status, missing.body.as_str()),
            (404, r#"{"error":"image not found"}"#),
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_search_finds_at_most_what_was_asked_for() {
    let emulator = Emulator::start().await.unwrap();
    let python = search(&emulator, "q=python&limit=1").await;
    let expected = json!([{
        "index": "docker.io",
        "name": "docker.io/library/python",
        "description": "Interpreter of Python with its standard libr...",
        "stars": 9900,
        "official": true,
        "automated": false,
    }]);
    assert_eq!(json!(python), expected);
    for (query, count) in [
        ("q=docker.io", 25),
        ("q=docker.io&limit=", 25),
        ("q=docker.io&limit=7", 7),
        ("q=docker.io&limit=100", 100),
        ("q=docker.io&limit=101", 100),
        ("q=docker.io&limit=9223372036854775807", 100),
        ("q=nothing-of-that-name", 0),
    ] {
        assert_eq!(search(&emulator, query).await.len(), count, "{query}");
    }
    let stars = search(&emulator, "q=docker.io&limit=100").await;
    assert!(stars.is_sorted_by_key(|result| std::cmp::Reverse(result["stars"].as_u64())));
}

#[tokio::test]
async fn descriptions_are_cut_unless_no_trunc_is_true() {
    let emulator = Emulator::start().await.unwrap();
    for (query, whole) in [
        ("", false),
        ("&no_trunc=true", true),
        ("&no_trunc=1", false),
        ("&no_trunc=TRUE", false),
    ] {
        let results = search(&emulator, &format!("q=python&limit=1{query}")).await;
        let description = results[0]["description"].as_str().unwrap();
        assert_eq!(!description.ends_with("..."), whole, "{query}");
        assert_eq!(description.chars().count() > 47, whole, "{query}");
    }
}

#[tokio::test]
async fn a_search_that_cannot_be_is_refused() {
    let emulator = Emulator::start().await.unwrap();
    let (q, limit) = ("query parameter 'q' is required", "invalid limit parameter");
    let invalid = "validation error: invalid image name";
    let cases = [
        ("", q),
        ("?q=", q),
        ("?limit=0", q),
        ("?q=a&limit=0", limit),
        ("?q=a&limit=-1", limit),
        ("?q=a&limit=x", limit),
        ("?q=a&limit=1.5", limit),
        ("?q=a&limit=9223372036854775808", limit),
        ("?q=a+b&limit=x", limit),
        ("?q=a+b", invalid),
        ("?q=%20", invalid),
        ("?q=-a", invalid),
        ("?q=a//b", invalid),
    ];
    for (query, error) in cases {
        let refused = get(&emulator, &format!("/images/search{query}")).await;
        assert_eq!(
            (refused.status, refused.json()),
            (400, json!({"error": error})),
            "{query}"
        );
    }
}

#[tokio::test]
async fn a_pulled_image_is_in_the_list() {
    let emulator = Emulator::start().await.unwrap();
    let before = list(&emulator).await.len();
    let pulled = pull(
        &emulator,
        json!({"image": "postgres:18", "quiet": true, "platform": "linux/arm64"}),
    )
    .await;
    let id = pulled.json()["image_id"].as_str().unwrap().to_owned();
    let expected = format!(r#"{{"success":true,"image_id":"{id}","image":"postgres:18"}}"#);
    assert_eq!((pulled.status, pulled.body), (200, expected));
    assert_eq!(get(&emulator, "/images/postgres:18").await.json()["id"], id.as_str());
    for same in ["postgres:18", "docker.io/library/postgres:18", "python:3.12"] {
        assert_eq!(pull(&emulator, json!({"image": same})).await.status, 200, "{same}");
    }
    let images = list(&emulator).await;
    assert_eq!(images.len(), before + 1);
    pull(&emulator, json!({"image": "golang:1.25-alpine"})).await;
    assert_eq!(
        get(&emulator, "/images/golang:1.25-alpine").await.json()["compatibility_rank"],
        4
    );
    let ranks: Vec<_> = list(&emulator).await;
    assert!(ranks.is_sorted_by_key(|image| image["compatibility_rank"].as_u64()));
}

#[tokio::test]
async fn what_the_registry_does_not_have_is_not_pulled() {
    let emulator = Emulator::start().await.unwrap();
    let failed = r#"{"error":"failed to pull image"}"#;
    for body in [
        json!({"image": "no-such-image"}),
        json!({"image": "python:0.1"}),
        json!({"image": "stromboli-agent"}),
        json!({"image": "python:3.12", "platform": "windows/amd64"}),
        json!({"image": "python:3.12", "platform": "x"}),
    ] {
        let response = pull(&emulator, body.clone()).await;
        assert_eq!((response.status, response.body.as_str()), (500, failed), "{body}");
    }
    let builder = Emulator::builder()
        .registry_image("ghcr.io/acme/agent:2")
        .registry_image("acme/tool");
    let emulator = builder.start().await.unwrap();
    for image in [
        "ghcr.io/acme/agent:2",
        "acme/tool:latest",
        "ghcr.io/tomblancdev/stromboli-agent",
    ] {
        assert_eq!(pull(&emulator, json!({"image": image})).await.status, 200, "{image}");
    }
    assert_eq!(
        get(&emulator, "/images/agent:2").await.json()["repository"],
        "ghcr.io/acme/agent"
    );
}

#[tokio::test]
async fn a_pull_that_cannot_be_is_refused() {
    let emulator = Emulator::start().await.unwrap();
    let required = "Key: 'ImagePullRequest.Image' Error:Field validation for 'Image' failed on the 'required' tag";
    let flag = "json: cannot unmarshal string into Go struct field ImagePullRequest.quiet of type bool";
    let invalid = "validation error: invalid image name";
    let cases = [
        ("", "EOF"),
        ("{}", required),
        (r#"{"image":""}"#, required),
        (r#"{"image":"a","quiet":"x"}"#, flag),
        (r#"{"image":"a b"}"#, invalid),
        (r#"{"image":"-a"}"#, invalid),
        (r#"{"image":"a//b"}"#, invalid),
    ];
    for (body, error) in cases {
        let refused = post(&emulator, "/images/pull", body).await;
        assert_eq!(
            (refused.status, refused.json()),
            (400, json!({"error": error})),
            "{body}"
        );
    }
}

#[tokio::test]
async fn without_registry_or_podman_there_is_nothing_new() {
    let builder = Emulator::builder().registry_reachable(false);
    let emulator = builder.start().await.unwrap();
    let search = get(&emulator, "/images/search?q=python").await;
    assert_eq!(
        (search.status, search.body.as_str()),
        (502, r#"{"error":"registry search failed"}"#)
    );
    let pulled = pull(&emulator, json!({"image": "postgres:18"})).await;
    assert_eq!(
        (pulled.status, pulled.body.as_str()),
        (500, r#"{"error":"failed to pull image"}"#)
    );
    assert_eq!(get(&emulator, "/images").await.status, 200);
    let builder = Emulator::builder().degraded("podman", "gone");
    let emulator = builder.start().await.unwrap();
    let answers = [
        (get(&emulator, "/images").await, 500, "failed to list images"),
        (
            get(&emulator, "/images/python:3.12").await,
            500,
            "failed to inspect image",
        ),
        (
            get(&emulator, "/images/search?q=python").await,
            502,
            "registry search failed",
        ),
        (
            pull(&emulator, json!({"image": "postgres:18"})).await,
            500,
            "failed to pull image",
        ),
    ];
    for (response, status, error) in answers {
        assert_eq!((response.status, response.json()), (status, json!({"error": error})));
    }
}
