//! `stromboli auth`: logins, which are pairs of tokens that renew themselves.

use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde::Serialize;
use stromboli::{ErrorKind, Token};

use crate::ask;
use crate::context::{Context, Identity};
use crate::exit::{Code, Failure, clause_of};
use crate::login::{Login, Logins};
use crate::settings::Proof;

const EXAMPLES: &str = "\
Examples:
  stromboli auth login                        asks for an API token
  pass show stromboli | stromboli auth login  reads it instead
  stromboli auth status
  curl -H \"Authorization: Bearer $(stromboli auth token)\" http://localhost:8080/jobs

A login is an access token and a refresh token, kept in a file that only you can read, for one server and one profile. The API \
token itself is not kept. Every call renews the access token when it is old; a login that nobody used for as long as refresh \
tokens live on the server, a week by default, has ended. STROMBOLI_TOKEN, or STROMBOLI_CLIENT_ID with STROMBOLI_API_TOKEN, \
counts before a login, and is not sent to a server that only a .stromboli.toml names.";

/// Log in to a server, and see as whom.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Auth {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Login(LoginArgs),
    Status(Status),
    Logout(Logout),
    Token(TokenArgs),
}

impl Auth {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        match self.command {
            Command::Login(command) => command.run(context).await,
            Command::Status(command) => command.run(context).await,
            Command::Logout(command) => command.run(context).await,
            Command::Token(command) => command.run(context).await,
        }
    }
}

fn logins() -> Result<Logins, Failure> {
    Logins::of_user().ok_or_else(|| Failure::other("this user has no home directory to keep logins in"))
}

/// Log in with an API token of the server.
///
/// It is asked for on a terminal, and else read from standard input.
#[derive(Args)]
#[command(after_help = "Examples:
  stromboli auth login                        asks for an API token
  pass show stromboli | stromboli auth login  reads it instead
  stromboli auth login --profile work")]
struct LoginArgs {
    /// The name that the server's log shall show [default: the user's].
    #[arg(long, value_name = "NAME")]
    client_id: Option<String>,
}

impl LoginArgs {
    async fn run(self, context: &Context) -> Result<(), Failure> {
        let settings = context.settings()?;
        let url = settings.url()?;
        if let Some(file) = settings.foreign() {
            // Whoever wrote the file would get the token.
            ask::confirm(
                context,
                &format!("log in to {url}, which only {} names?", file.display()),
            )?;
        } else if context.interactive {
            context.output.note(&format!(
                "logging in to {url}, with one of the API tokens in STROMBOLI_API_TOKENS there"
            ));
        }
        if is_readable_on_the_way(url) {
            context
                .output
                .warn("http sends tokens so that everybody on the way can read them");
        }
        // Before anybody types.
        let logins = logins()?;
        drop(logins.lock()?);
        let account = context.account()?;
        logins.get(&account)?;

        let token = ask::secret(context, "API token")?;
        let name = self.client_id.unwrap_or_else(user_name);
        let client = context.client_with(Token::new(token.trim())?)?;
        let obtained = client.auth().token(&name).await;
        let login = Login::new(account, name, obtained.map_err(explained)?);
        logins.lock()?.put(login.clone())?;

        let standing = Standing {
            url: login.account.url,
            profile: login.account.profile,
            origin: Some(LOGIN.to_owned()),
            subject: Some(login.subject),
            expires_at: Some(login.expires_at),
        };
        let printed = context.output.value(&standing, |_| String::new());
        context.output.note(&standing.words());
        if let Some(proof) = &settings.token
            && settings.foreign().is_none()
        {
            context
                .output
                .warn(&format!("{} is set, and counts before this login", proof.origin));
        }
        printed
    }
}

/// A server that issues no tokens says so in its own words, which do not tell what to do.
fn explained(error: stromboli::Error) -> Failure {
    let clause = clause_of(&error);
    match error.kind() {
        ErrorKind::Unauthorized => Failure::found(
            Code::NotAuthorised,
            format!("the server does not take this API token: {clause}"),
        ),
        ErrorKind::Unavailable if error.status().is_some() => Failure::other(clause)
            .next("this server issues no tokens: it needs none, or takes an API token in STROMBOLI_TOKEN"),
        _ => Failure::Call(error),
    }
}

fn user_name() -> String {
    let set = |name: &str| std::env::var(name).ok().filter(|name| !name.is_empty());
    ["USER", "LOGNAME", "USERNAME"]
        .into_iter()
        .find_map(set)
        .unwrap_or_else(|| "stromboli-cli".into())
}

/// Whether tokens travel in the clear, and beyond this machine.
fn is_readable_on_the_way(url: &str) -> bool {
    let Some(rest) = url.trim().strip_prefix("http://") else {
        return false;
    };
    let host = rest.split(['/', ':']).next().unwrap_or_default();
    !(host == "localhost" || host.starts_with("127.") || host.starts_with('['))
}

/// Show as whom you are logged in, to which server and until when.
///
/// The server is asked. The exit code is 4 when it does not take the token, or wants one and there is none.
#[derive(Args)]
#[command(after_help = "Examples:
  stromboli auth status
  stromboli auth status --output json | jq -r .subject")]
struct Status {}

/// How the user stands with a server.
#[derive(Serialize)]
struct Standing {
    url: String,
    profile: Option<String>,
    /// Where the token comes from: a variable, `login`, or none.
    origin: Option<String>,
    /// None for an API token, and for a server that wants none.
    subject: Option<String>,
    expires_at: Option<Timestamp>,
}

impl Status {
    async fn run(self, context: &Context) -> Result<(), Failure> {
        let account = context.account()?;
        let origin = match context.identity()? {
            Identity::Proof(_, variable) => Some(variable.to_string()),
            Identity::Login(_) => Some(LOGIN.to_owned()),
            Identity::None => None,
        };
        let client = context.client()?;
        // Whether a token is taken shows where one is needed: `validate` takes one that was logged out (WIRE §3).
        client.claude_status().await?;
        let token = match origin {
            Some(_) => client.auth().validate().await.ok(),
            None => None,
        };
        let standing = Standing {
            url: account.url,
            profile: account.profile,
            origin,
            expires_at: token
                .as_ref()
                .and_then(|token| Timestamp::from_second(token.expires_at).ok()),
            subject: token.map(|token| token.subject),
        };
        context.output.value(&standing, Standing::words)
    }
}

const LOGIN: &str = "login";

impl Standing {
    fn words(&self) -> String {
        let url = &self.url;
        let profile = self
            .profile
            .as_ref()
            .map(|profile| format!(" in profile {profile}"))
            .unwrap_or_default();
        let Some(origin) = &self.origin else {
            return format!("{url} asks for no token{profile}");
        };
        let subject = self
            .subject
            .as_ref()
            .map(|subject| format!(" as {subject}"))
            .unwrap_or_default();
        let source = match origin.as_str() {
            LOGIN => String::new(),
            variable => format!(" with {variable}"),
        };
        let end = match (self.expires_at, origin.as_str()) {
            (Some(at), LOGIN) => format!(" until {}, and renewed before that", minutes(at)),
            (Some(at), _) => format!(" until {}", minutes(at)),
            (None, _) => ", an API token that does not expire".into(),
        };
        format!("logged in to {url}{profile}{subject}{source}{end}")
    }
}

/// An instant to the minute.
fn minutes(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// Forget the login to a server, and have the server refuse its access token.
///
/// Of the refresh token the server knows nothing to forget: it is gone with the file, and ends by itself.
#[derive(Args)]
#[command(after_help = "Examples:
  stromboli auth logout")]
struct Logout {}

impl Logout {
    async fn run(self, context: &Context) -> Result<(), Failure> {
        let account = context.account()?;
        let url = account.url.clone();
        let Some(login) = logins()?.lock()?.remove(&account)? else {
            context.output.note(&format!("there was no login to {url}"));
            return Ok(());
        };
        let client = context.client_with(Token::new(&login.access_token)?)?;
        match client.auth().logout().await {
            Ok(_) => context.output.note(&format!("logged out of {url}")),
            // An expired one needs no refusal.
            Err(error) if error.is_unauthorized() => context.output.note(&format!("logged out of {url}")),
            Err(error) => context.output.note(&format!(
                "the login to {url} is forgotten here; the server could not be told to refuse its token, good until {}: {error}",
                minutes(login.expires_at)
            )),
        }
        Ok(())
    }
}

/// Print the token that calls send now, for other programs.
#[derive(Args)]
#[command(after_help = r#"Examples:
  curl -H "Authorization: Bearer $(stromboli auth token)" http://localhost:8080/jobs"#)]
struct TokenArgs {}

#[derive(Serialize)]
struct Printed {
    token: String,
    /// None when that is not known.
    expires_at: Option<Timestamp>,
}

impl TokenArgs {
    async fn run(self, context: &Context) -> Result<(), Failure> {
        let printed = match context.identity()? {
            Identity::Proof(Proof::Token(token), _) => Printed {
                token,
                expires_at: None,
            },
            Identity::Proof(Proof::Credentials { client_id, api_token }, _) => {
                let client = context.client_with(Token::new(api_token)?)?;
                Login::new(
                    context.account()?,
                    client_id.clone(),
                    client.auth().token(client_id).await?,
                )
                .into()
            }
            Identity::Login(login) => login.login(None).await.map_err(Failure::from_boxed)?.into(),
            Identity::None => {
                let clause = format!("there is no token for {}", context.account()?.url);
                return Err(Failure::found(Code::NotAuthorised, clause).next("`stromboli auth login` obtains one"));
            }
        };
        context.output.value(&printed, |printed| printed.token.clone())
    }
}

impl From<Login> for Printed {
    fn from(login: Login) -> Self {
        Self {
            token: login.access_token,
            expires_at: Some(login.expires_at),
        }
    }
}
