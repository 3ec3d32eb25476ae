//! How a client is made, and what it sends with every request.

use std::process::Command;
use std::time::{Duration, Instant};

use stromboli::{
    AgentEvents, AgentHandle, Agents, Auth, Client, Error, ErrorKind, Images, JobHandle, Jobs, MessageStream, Messages,
    RunRequest, RunStream, Secret, Secrets, SessionHandle, Sessions, StreamRequest, Timeouts, Token, Turn, TurnResult,
};
use stromboli_emulator::Emulator;

use crate::support::{
    COMPLETED, DONE, HEALTHY, Reply, Request, SHORT, Server, Step, chunk, client_with, deaf_port, within,
};

/// A server that answers every wrapped operation well.
async fn obliging() -> Server {
    Server::answering(|request| {
        let path = request.path();
        let reply = |status, body: &str| Reply::new(status).json(body).bytes();
        if path.ends_with("/health") {
            reply(200, HEALTHY)
        } else if path.ends_with("/claude/status") {
            reply(200, r#"{"configured":true,"message":"Claude is configured"}"#)
        } else if path.ends_with("/run") {
            reply(200, COMPLETED)
        } else if path.ends_with("/run/async") {
            reply(202, r#"{"job_id":"job-1"}"#)
        } else if path.ends_with("/run/stream") {
            [Reply::events(), chunk(DONE)].concat()
        } else if request.method == "DELETE" {
            reply(200, r#"{"cancelled":true,"job_id":"job-1"}"#)
        } else {
            let times = r#""created_at":"2026-05-06T12:00:00+02:00","updated_at":"2026-05-06T12:00:00+02:00""#;
            reply(200, &format!(r#"{{"id":"job-1","status":"running",{times}}}"#))
        }
    })
    .await
}

/// Calls every wrapped operation once and gives what arrived.
async fn call_all(client: &Client, server: &Server) -> Vec<Request> {
    within(client.health()).await.unwrap();
    within(client.claude_status()).await.unwrap();
    within(client.compatibility()).await.unwrap();
    within(client.run("hi")).await.unwrap();
    let job = within(client.start("hi")).await.unwrap();
    within(job.get()).await.unwrap();
    within(job.cancel()).await.unwrap();
    within(within(client.stream("hi")).await.unwrap().text()).await.unwrap();
    server.requests()
}

#[tokio::test]
async fn connecting_fails_soon_when_nothing_listens() {
    let (_socket, url) = deaf_port();
    let before = Instant::now();
    let error = within(Client::connect(&url)).await.unwrap_err();
    assert!(before.elapsed() < Duration::from_secs(5), "{:?}", before.elapsed());
    assert_eq!((error.kind(), error.code()), (ErrorKind::Connect, "CONNECT"));
    assert!(error.is_connect());
    assert_eq!(error.attempts(), 3);
    assert!(!error.may_have_executed());
    assert_eq!(
        (error.status(), error.body(), error.request_id()),
        (None, b"".as_slice(), None)
    );
    let shown = error.to_string();
    assert!(
        shown.contains(&url) && shown.contains("is a server listening there"),
        "{shown}"
    );
}

#[tokio::test]
async fn no_call_may_have_executed_when_nothing_listens() {
    let (_socket, url) = deaf_port();
    let client = Client::new(&url).unwrap();
    let errors = [
        within(client.run("hi")).await.unwrap_err(),
        within(client.start("hi")).await.unwrap_err(),
        within(client.stream("hi")).await.unwrap_err(),
        within(client.job("job-1").cancel()).await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::Connect, "{error}");
        assert!(!error.may_have_executed(), "{error}");
    }
}

#[tokio::test]
async fn tls_with_a_server_that_speaks_none_is_said_to_be_that() {
    let reply = Reply::new(400).bytes();
    let server = Server::script([Step::Send(reply), Step::UntilClosed]).await;
    let url = server.url().replace("http:", "https:");
    let error = within(Client::new(&url).unwrap().run("hi")).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Tls, 1), "{error:?}");
    assert!(error.is_connect() && !error.may_have_executed());
    assert!(error.to_string().contains(&url), "{error}");
}

#[tokio::test]
async fn a_connection_that_is_never_ready_is_given_up_after_its_own_timeout() {
    // Accepted, but silent during the handshake. Every other timeout is longer than the test's patience.
    let server = Server::script([Step::UntilClosed]).await;
    let url = server.url().replace("http:", "https:");
    let builder = Client::builder(url).timeouts(Timeouts::default().connect(SHORT).quick(Duration::MAX));
    let client = builder.build().unwrap();
    for error in [
        within(client.health()).await.unwrap_err(),
        within(client.run("hi")).await.unwrap_err(),
        within(client.stream("hi")).await.unwrap_err(),
    ] {
        assert!(error.is_connect() || error.is_timeout(), "{error:?}");
        assert!(!error.may_have_executed(), "{error:?}");
    }
}

#[tokio::test]
async fn connecting_to_a_server_that_is_not_supported_is_refused() {
    for version in ["v0.3.2-alpha", "0.6.0", "v1.0.0"] {
        let emulator = Emulator::builder().version(version).start().await.unwrap();
        let error = within(Client::connect(emulator.url())).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Incompatible);
        assert!(!error.may_have_executed());
        let shown = error.to_string();
        assert!(
            shown.contains(version) && shown.contains(stromboli::version::SUPPORTED),
            "{shown}"
        );
    }
}

#[tokio::test]
async fn connecting_to_a_server_that_is_supported_or_does_not_say_works() {
    for version in ["v0.5.7-alpha", "0.4.0", "dev"] {
        let emulator = Emulator::builder().version(version).start().await.unwrap();
        let client = within(Client::connect(emulator.url())).await.unwrap();
        assert_eq!(within(client.health()).await.unwrap().version, version);
    }
}

#[tokio::test]
async fn connecting_to_a_degraded_server_works_and_its_health_says_why() {
    let builder = Emulator::builder().degraded("podman", "podman: not found");
    let emulator = builder.start().await.unwrap();
    let client = within(Client::connect(emulator.url())).await.unwrap();
    let health = within(client.health()).await.unwrap();
    assert_eq!(health.status, stromboli::HealthStatus::Degraded);
    let podman = health.components.iter().find(|c| c.name == "podman").unwrap();
    assert_eq!(podman.status, stromboli::ComponentStatus::Error);
    assert_eq!(podman.error.as_deref(), Some("podman: not found"));
}

#[tokio::test]
async fn connecting_runs_nothing() {
    let emulator = Emulator::start().await.unwrap();
    within(Client::connect(emulator.url())).await.unwrap();
    let requests: Vec<_> = emulator.requests().into_iter().map(|r| (r.method, r.target)).collect();
    assert_eq!(requests, [("GET".to_owned(), "/health".to_owned())]);
    assert_eq!(emulator.executions(), 0);
}

#[tokio::test]
async fn a_client_that_is_only_built_sends_nothing() {
    let server = obliging().await;
    let client = Client::new(server.url()).unwrap();
    let _handle = client.job("job-1");
    let _never_polled = client.run("hi");
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_base_path_is_kept_by_every_operation() {
    let server = obliging().await;
    for base in ["/base/path", "/base/path/"] {
        let client = Client::new(format!("{}{base}", server.url())).unwrap();
        call_all(&client, &server).await;
    }
    let requests = server.requests();
    let (first, second) = requests.split_at(requests.len() / 2);
    for requests in [first, second] {
        let targets: Vec<_> = requests.iter().map(|r| format!("{} {}", r.method, r.target)).collect();
        assert_eq!(
            targets,
            [
                "GET /base/path/health",
                "GET /base/path/claude/status",
                "GET /base/path/health",
                "POST /base/path/run",
                "POST /base/path/run/async",
                "GET /base/path/jobs/job-1",
                "DELETE /base/path/jobs/job-1",
                "GET /base/path/run/stream?prompt=hi",
            ]
        );
    }
}

#[tokio::test]
async fn token_and_user_agent_go_with_every_request() {
    let server = obliging().await;
    let builder = Client::builder(server.url()).token(Token::new("abc.def-ghi").unwrap());
    let client = builder.user_agent("my-app/1.0").build().unwrap();
    for request in call_all(&client, &server).await {
        assert_eq!(
            request.header("authorization"),
            Some("Bearer abc.def-ghi"),
            "{request:?}"
        );
        assert_eq!(request.header("user-agent"), Some("my-app/1.0"), "{request:?}");
    }
}

#[tokio::test]
async fn without_a_token_none_is_sent_and_the_user_agent_is_the_crates() {
    let server = obliging().await;
    let client = Client::new(server.url()).unwrap();
    let crates = format!("stromboli-rust/{}", stromboli::version::SDK);
    for request in call_all(&client, &server).await {
        assert_eq!(request.header("authorization"), None, "{request:?}");
        assert_eq!(request.header("user-agent"), Some(crates.as_str()), "{request:?}");
    }
}

#[tokio::test]
async fn an_http_client_of_the_users_is_used_with_our_token_and_timeouts() {
    let headers = [
        ("x-theirs", "yes"),
        ("user-agent", "theirs"),
        ("authorization", "theirs"),
    ];
    let headers = headers.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
    let http = reqwest::Client::builder().default_headers(headers.into_iter().collect());
    let server = obliging().await;
    let builder = Client::builder(server.url()).token(Token::new("ours").unwrap());
    let client = builder.http_client(http.build().unwrap()).build().unwrap();
    for request in call_all(&client, &server).await {
        assert_eq!(request.header("x-theirs"), Some("yes"));
        assert_eq!(request.header("authorization"), Some("Bearer ours"));
        assert!(
            request
                .header("user-agent")
                .is_some_and(|agent| agent.starts_with("stromboli-rust/"))
        );
    }

    let silent = Server::script([Step::Read, Step::UntilClosed]).await;
    let builder = Client::builder(silent.url()).timeouts(Timeouts::default().quick(SHORT));
    let client = builder.http_client(reqwest::Client::new()).build().unwrap();
    assert!(within(client.health()).await.unwrap_err().is_timeout());
}

#[tokio::test]
async fn a_server_with_authentication_wants_the_right_token() {
    let emulator = Emulator::builder().api_token("right").start().await.unwrap();
    let right = Client::builder(emulator.url())
        .token(Token::new("right").unwrap())
        .build()
        .unwrap();
    assert!(within(right.claude_status()).await.unwrap().configured);

    let wrong = Client::builder(emulator.url())
        .token(Token::new("wrong").unwrap())
        .build()
        .unwrap();
    let none = Client::new(emulator.url()).unwrap();
    for (client, words) in [
        (wrong, "invalid or expired token"),
        (none, "missing authorization header"),
    ] {
        let error = within(client.run("hi")).await.unwrap_err();
        assert!(error.is_unauthorized(), "{error}");
        assert_eq!(error.message(), words);
        assert!(!error.may_have_executed());
    }
    assert_eq!(emulator.executions(), 0);
}

#[tokio::test]
async fn the_health_of_a_server_needs_no_token() {
    let emulator = Emulator::builder().api_token("right").start().await.unwrap();
    within(Client::connect(emulator.url())).await.unwrap();
}

#[tokio::test]
async fn a_timeout_of_for_ever_is_no_overflow() {
    let server = obliging().await;
    let timeouts = Timeouts::default().quick(Duration::MAX).run(Duration::MAX);
    let client = client_with(&server, timeouts.stream_idle(Duration::MAX).connect(Duration::MAX));
    call_all(&client, &server).await;
}

/// In a process of its own, because the environment belongs to the whole process.
#[tokio::test]
async fn the_environment_names_server_and_token() {
    const CHILD: &str = "STROMBOLI_TESTS_CHILD";
    if std::env::var_os(CHILD).is_some() {
        within(Client::from_env().unwrap().claude_status()).await.unwrap();
        return;
    }
    let emulator = Emulator::builder().api_token("right").start().await.unwrap();
    let url = emulator.url().to_owned();
    let child = tokio::task::spawn_blocking(move || {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "construct::the_environment_names_server_and_token"])
            .envs([(CHILD, "1"), ("STROMBOLI_URL", &url), ("STROMBOLI_TOKEN", "right")])
            .output()
            .unwrap()
    });
    let output = within(child).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(emulator.requests()[0].target, "/claude/status");
}

/// In a process of its own, as above.
#[tokio::test]
async fn a_server_on_this_machine_is_reached_past_any_proxy() {
    const CHILD: &str = "STROMBOLI_TESTS_PROXY_CHILD";
    if let Ok(url) = std::env::var(CHILD) {
        within(Client::new(url).unwrap().health()).await.unwrap();
        return;
    }
    let (emulator, proxy) = (Emulator::start().await.unwrap(), Server::script([Step::Reset]).await);
    let envs = [
        (CHILD, emulator.url()),
        ("http_proxy", proxy.url()),
        ("ALL_PROXY", proxy.url()),
    ];
    let envs = envs.map(|(name, value)| (name, value.to_owned()));
    let child = tokio::task::spawn_blocking(move || {
        Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "construct::a_server_on_this_machine_is_reached_past_any_proxy",
            ])
            .envs(envs)
            .output()
            .unwrap()
    });
    let output = within(child).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!((proxy.connections(), emulator.requests().len()), (0, 1));
}

#[test]
fn what_users_hold_can_be_sent_to_other_threads() {
    fn shared<T: Send + Sync + 'static>() {}
    fn cloned<T: Clone>() {}
    fn sent<T: Send>(_: &T) {}
    shared::<Client>();
    shared::<RunStream>();
    shared::<JobHandle>();
    shared::<Error>();
    shared::<Token>();
    shared::<(Agents, Auth, Images, Jobs, Secrets, Sessions)>();
    shared::<(SessionHandle, Messages, Secret)>();
    shared::<(AgentHandle, AgentEvents, Turn, TurnResult)>();
    cloned::<Client>();
    cloned::<(JobHandle, AgentHandle)>();
    cloned::<(Agents, Auth, Images, Jobs, Secrets, Sessions)>();
    cloned::<(SessionHandle, Messages, Secret)>();

    let client = Client::new("http://localhost:8080").unwrap();
    sent(&client.run(RunRequest::new("hi")));
    sent(&client.start("hi"));
    sent(&client.stream(StreamRequest::new("hi")));
    sent(&client.job("job-1").get());
    sent(&Client::connect("http://localhost:8080"));
    sent::<MessageStream>(&client.session("s-1").messages().stream());
    sent(&client.secrets().create("token", Secret::new("v")));
    sent(&client.agent("agent-1").send("hi"));
    sent(&client.agent("agent-1").ask("hi"));
    sent(&client.agents().spawn("hi"));
}
