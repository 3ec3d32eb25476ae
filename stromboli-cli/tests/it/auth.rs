//! `stromboli auth`, and what tokens go where.

use std::time::Duration;

use insta::assert_snapshot;
use serde_json::Value;
use stromboli_emulator::{Emulator, Fault};

use crate::support::{Done, World};

pub(crate) const JWT_SECRET: &str = "0123456789abcdef0123456789abcdef";

/// With a server that takes the API token `api-token` and issues others.
pub(crate) async fn guarded() -> World {
    World::with(Emulator::builder().api_token("api-token").jwt_secret(JWT_SECRET)).await
}

async fn login(world: &World) -> Done {
    world
        .run_with_input(&["auth", "login", "--client-id", "ada"], "api-token\n")
        .await
}

/// The first login of the file.
fn stored(world: &World) -> Value {
    let text = std::fs::read_to_string(world.logins_file()).unwrap();
    serde_json::from_str::<Value>(&text).unwrap()["logins"][0].take()
}

/// How often the server was asked for this.
fn asked(world: &World, target: &str) -> usize {
    let requests = world.emulator().requests();
    requests.iter().filter(|request| request.target == target).count()
}

/// Makes the stored access token look so old that it must be renewed.
fn age(world: &World) {
    let mut login = stored(world);
    login["obtained_at"] = "2001-01-01T00:00:00Z".into();
    login["expires_at"] = "2001-01-02T00:00:00Z".into();
    let file = serde_json::json!({"logins": [login]});
    std::fs::write(world.logins_file(), file.to_string()).unwrap();
}

#[tokio::test]
async fn a_login_is_kept_for_every_later_call_until_the_logout() {
    let world = guarded().await;
    assert_eq!(world.run(&["jobs", "list"]).await.code, 4);
    assert_eq!(world.run(&["auth", "status"]).await.code, 4);
    assert_eq!(world.run(&["auth", "token"]).await.code, 4);

    let done = login(&world).await;
    assert_eq!((done.code, done.stdout.as_str()), (0, ""));
    assert!(done.stderr.contains("as ada until "), "{}", done.stderr);
    assert_eq!(world.run(&["jobs", "list"]).await.code, 0);
    let status = world.run(&["auth", "status", "-o", "json"]).await.json();
    assert_eq!(
        (&status["subject"], &status["origin"]),
        (&"ada".into(), &"login".into())
    );
    assert_eq!(status["url"], world.emulator().url());
    assert!(status["expires_at"].is_string());
    let token = world.run(&["auth", "token"]).await.stdout;
    assert_eq!(token.trim_end(), stored(&world)["access_token"].as_str().unwrap());

    assert_eq!(world.run(&["auth", "logout"]).await.code, 0);
    assert_eq!(world.run(&["jobs", "list"]).await.code, 4);
    let revoked = world
        .run_with(&[("STROMBOLI_TOKEN", token.trim_end())], &["auth", "status"])
        .await;
    assert_eq!(revoked.code, 4, "the server refuses it from now on");
    assert_eq!(world.run(&["auth", "logout"]).await.code, 0);
}

#[tokio::test]
async fn a_login_that_the_server_refuses_says_so_and_changes_nothing() {
    let world = guarded().await;
    let done = world.run_with_input(&["auth", "login"], "topsecret\n").await;
    assert_snapshot!(done.shown(&world), @r#"
exit 4
--- stdout
--- stderr
error: the server does not take this API token: invalid or expired token
"#);
    assert!(!world.logins_file().exists());
    assert_eq!(world.run_with_input(&["auth", "login"], "").await.code, 2);
    assert_eq!(world.run(&["auth", "login", "topsecret"]).await.code, 2);
    let open = World::new().await;
    let done = login(&open).await;
    assert_eq!(done.code, 1);
    assert!(done.stderr.contains("this server issues no tokens"), "{}", done.stderr);
    let done = open.run(&["auth", "status"]).await;
    assert!(
        done.code == 0 && done.stdout.contains("asks for no token"),
        "{}",
        done.stdout
    );
}

#[tokio::test]
async fn no_token_is_printed_but_where_it_is_asked_for() {
    let world = guarded().await;
    let mut printed = String::new();
    let done = login(&world).await;
    printed += &(done.stdout + &done.stderr);
    for arguments in [
        &["auth", "status"][..],
        &["auth", "status", "-o", "json"],
        &["config", "list"],
        &["doctor", "-o", "json"],
        &["jobs", "list"],
        &["auth", "logout"],
    ] {
        let done = world.run(arguments).await;
        printed += &(done.stdout + &done.stderr);
    }
    assert!(!printed.contains("eyJ") && !printed.contains("api-token"), "{printed}");
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_is_for_its_user_only_and_refused_when_others_can_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let world = guarded().await;
    login(&world).await;
    let file = world.logins_file();
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&file), mode(file.parent().unwrap())), (0o600, 0o700));
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
    let before = asked(&world, "/jobs");
    assert_snapshot!(world.run(&["jobs", "list"]).await.shown(&world), @r#"
exit 1
--- stdout
--- stderr
error: [world]/state/stromboli/credentials.json holds tokens, and its mode 640 lets others read or change it
  hint: chmod 600 [world]/state/stromboli/credentials.json; if somebody may have read it, `stromboli auth login` and new API tokens on the server
"#);
    assert_eq!(login(&world).await.code, 1);
    assert_eq!(asked(&world, "/jobs"), before, "nothing is sent");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::write(&file, "{\"logins\": [{\"access_token\": \"topsecret\"").unwrap();
    let done = world.run(&["jobs", "list"]).await;
    assert!(done.code == 1 && done.stderr.contains("is damaged"), "{}", done.stderr);
    assert!(!done.stderr.contains("topsecret"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logins_of_processes_that_race_are_all_kept() {
    let world = guarded().await;
    let names = ["a", "b", "c", "d", "e", "f"];
    let profiles: Vec<_> = names.iter().map(|name| format!("[profiles.{name}]\n")).collect();
    std::fs::write(world.user_file(), profiles.concat()).unwrap();
    let logins = names.map(|name| {
        let command = world.command(&["auth", "login", "--profile", name, "--client-id", name]);
        tokio::spawn(async move { Done::of(command, "api-token").await.code })
    });
    for login in logins {
        assert_eq!(login.await.unwrap(), 0);
    }
    for name in names {
        let status = world.run(&["auth", "status", "--profile", name, "-o", "json"]).await;
        assert_eq!(status.json()["subject"], name);
    }
    // One is for its profile alone.
    assert_eq!(world.run(&["jobs", "list"]).await.code, 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_that_find_a_token_old_renew_it_once() {
    let world = guarded().await;
    login(&world).await;
    let old = stored(&world);
    age(&world);
    let calls: Vec<_> = (0..6)
        .map(|_| {
            let command = world.command(&["jobs", "list"]);
            tokio::spawn(async move { Done::of(command, "").await.code })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap(), 0);
    }
    assert_eq!(asked(&world, "/auth/refresh"), 1);
    let new = stored(&world);
    assert_ne!(new["access_token"], old["access_token"]);
    assert_ne!(new["refresh_token"], old["refresh_token"]);
    assert_eq!(world.run(&["jobs", "list"]).await.code, 0);
    assert_eq!(asked(&world, "/auth/refresh"), 1, "the new one is written back");
}

#[tokio::test]
async fn a_token_that_the_server_has_expired_is_renewed_and_one_past_renewal_asks_for_a_login() {
    let world = guarded().await;
    login(&world).await;
    let old = stored(&world);
    world.emulator().advance_clock(Duration::from_secs(25 * 3600));
    assert_eq!(world.run(&["jobs", "list"]).await.code, 0);
    assert_ne!(stored(&world)["access_token"], old["access_token"]);
    world.emulator().advance_clock(Duration::from_secs(8 * 24 * 3600));
    let done = world.run(&["jobs", "list"]).await;
    assert_eq!(done.code, 4);
    assert!(done.stderr.contains("`stromboli auth login`"), "{}", done.stderr);
}

#[tokio::test]
async fn a_renewal_that_fails_does_not_stop_a_call_whose_token_is_good() {
    let world = guarded().await;
    login(&world).await;
    let mut login = stored(&world);
    // Old, but not expired.
    login["obtained_at"] = "2001-01-01T00:00:00Z".into();
    let file = serde_json::json!({"logins": [login]});
    std::fs::write(world.logins_file(), file.to_string()).unwrap();
    world.emulator().inject(Fault::status(500).on("/auth/refresh"));
    assert_eq!(world.run(&["jobs", "list"]).await.code, 0);
    assert!(asked(&world, "/auth/refresh") > 0);
}

#[tokio::test]
async fn the_environment_counts_before_a_login_and_credentials_obtain_a_token() {
    let world = guarded().await;
    login(&world).await;
    let wrong = [("STROMBOLI_TOKEN", "wrong")];
    assert_eq!(world.run_with(&wrong, &["jobs", "list"]).await.code, 4);
    let api = [("STROMBOLI_TOKEN", "api-token")];
    let done = world.run_with(&api, &["auth", "status"]).await;
    assert!(done.stdout.contains("STROMBOLI_TOKEN, an API token"), "{}", done.stdout);
    let pair = [("STROMBOLI_CLIENT_ID", "ci"), ("STROMBOLI_API_TOKEN", "api-token")];
    let done = world.run_with(&pair, &["auth", "status", "-o", "json"]).await;
    assert_eq!(done.json()["subject"], "ci");
    assert!(
        world
            .run_with(&pair, &["auth", "token"])
            .await
            .stdout
            .starts_with("eyJ")
    );
    let half = world.run_with(&pair[..1], &["jobs", "list"]).await;
    assert_eq!(half.code, 2);
    assert!(half.stderr.contains("without STROMBOLI_API_TOKEN"), "{}", half.stderr);
}

/// A directory whose file names the server, as it came with somebody's repository.
async fn cloned() -> World {
    let world = guarded().await;
    world.file(".stromboli.toml", &format!("url = '{}'", world.emulator().url()));
    world
}

fn in_clone(world: &World, arguments: &[&str]) -> std::process::Command {
    let mut command = world.command(arguments);
    command.env_remove("STROMBOLI_URL");
    command
}

#[tokio::test]
async fn a_server_that_only_a_repository_names_gets_no_token_of_the_environment() {
    let world = cloned().await;
    for variables in [
        &[("STROMBOLI_TOKEN", "api-token")][..],
        &[("STROMBOLI_CLIENT_ID", "ci"), ("STROMBOLI_API_TOKEN", "api-token")],
    ] {
        let mut command = in_clone(&world, &["jobs", "list"]);
        command.envs(variables.iter().copied());
        let done = Done::of(command, "").await;
        assert_eq!(done.code, 2);
        assert!(done.stderr.contains("is not sent to"), "{}", done.stderr);
        assert!(done.stderr.contains(".stromboli.toml names"), "{}", done.stderr);
    }
    let mut command = in_clone(&world, &["api", "GET", "/jobs"]);
    command.env("STROMBOLI_TOKEN", "api-token");
    assert_eq!(Done::of(command, "").await.code, 2);
    assert!(world.emulator().requests().is_empty(), "nothing was sent at all");

    // Whoever says so means it.
    let url = world.emulator().url();
    let mut command = in_clone(&world, &["jobs", "list", "--url", url]);
    command.env("STROMBOLI_TOKEN", "api-token");
    assert_eq!(Done::of(command, "").await.code, 0);
    std::fs::write(world.user_file(), format!("[profiles.mine]\nurl = '{url}'")).unwrap();
    let mut command = in_clone(&world, &["jobs", "list", "--profile", "mine"]);
    std::fs::write(world.here().join(".stromboli.toml"), "").unwrap();
    command.env("STROMBOLI_TOKEN", "api-token");
    assert_eq!(Done::of(command, "").await.code, 0);
}

#[tokio::test]
async fn a_login_to_another_server_is_not_sent_to_one_that_a_repository_names() {
    let world = guarded().await;
    login(&world).await;
    let other = guarded().await;
    world.file(".stromboli.toml", &format!("url = '{}'", other.emulator().url()));
    assert_eq!(Done::of(in_clone(&world, &["jobs", "list"]), "").await.code, 4);
    let requests = other.emulator().requests();
    assert!(requests.iter().all(|request| request.header("authorization").is_none()));
}

#[tokio::test]
async fn a_login_to_a_server_that_only_a_repository_names_needs_a_yes() {
    let world = cloned().await;
    let done = Done::of(in_clone(&world, &["auth", "login"]), "api-token").await;
    assert_eq!(done.code, 2);
    assert!(world.emulator().requests().is_empty());
    let done = Done::of(in_clone(&world, &["auth", "login", "--yes"]), "api-token").await;
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert_eq!(Done::of(in_clone(&world, &["jobs", "list"]), "").await.code, 0);
    // The login is for this server, and what the environment has is not.
    let mut command = in_clone(&world, &["auth", "status", "-o", "json"]);
    command.env("STROMBOLI_TOKEN", "for-another");
    assert_eq!(Done::of(command, "").await.json()["origin"], "login");
}

#[tokio::test]
async fn a_logout_forgets_the_login_even_if_the_server_is_gone() {
    let world = guarded().await;
    login(&world).await;
    let gone = world.emulator().refuse_connections().unwrap();
    let done = world.run(&["auth", "logout"]).await;
    assert_eq!(done.code, 0);
    assert!(done.stderr.contains("could not be told"), "{}", done.stderr);
    drop(gone);
    assert_eq!(world.run(&["jobs", "list"]).await.code, 4);
}
