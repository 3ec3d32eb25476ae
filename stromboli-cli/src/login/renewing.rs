//! The token of a login, for each call: renewed when it is old, and written back for the calls to come.

use std::time::Duration;

use jiff::Timestamp;
use stromboli::{Client, RequestOptions, Token, TokenFuture, TokenSource};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::{Login, Logins};
use crate::exit::Failure;

/// How long the server may take for a renewal. Other processes that want to renew wait as long.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long after a failed renewal nobody tries again while the old token is good.
const PAUSE: Duration = Duration::from_secs(30);

/// A login that renews itself. Processes that find the token old at the same time renew it once: the first does, the others
/// wait for it at the lock and find the new one in the file.
pub(crate) struct Renewing {
    logins: Logins,
    /// A client without a token.
    client: Client,
    state: Mutex<State>,
}

struct State {
    login: Login,
    /// No renewal before this, because one has just failed.
    pause: Option<Instant>,
}

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

impl Renewing {
    pub(crate) fn new(logins: Logins, login: Login, client: &Client) -> Self {
        Self {
            logins,
            client: client.with_options(RequestOptions::new().timeout(PATIENCE)),
            state: Mutex::new(State { login, pause: None }),
        }
    }

    /// The login with a token that is good now.
    pub(crate) async fn login(&self, rejected: Option<&Token>) -> Result<Login> {
        let mut state = self.state.lock().await;
        let paused = state.pause.is_some_and(|until| Instant::now() < until);
        if is_good(&state.login, rejected)? && (paused || !is_old(&state.login)) {
            return Ok(state.login.clone());
        }
        match self.renew(&state.login, rejected).await {
            Ok(login) => state.login = login,
            Err(_) if is_good(&state.login, rejected)? => state.pause = Some(Instant::now() + PAUSE),
            Err(error) => return Err(error),
        }
        Ok(state.login.clone())
    }

    async fn renew(&self, known: &Login, rejected: Option<&Token>) -> Result<Login> {
        let logins = self.logins.clone();
        let locked = tokio::task::spawn_blocking(move || logins.lock())
            .await?
            .map_err(said)?;
        // Another process may have renewed it, or logged in anew, since it was read.
        let stored = locked.get(&known.account).map_err(said)?;
        let Some(stored) = stored else {
            return Err(format!("somebody logged out of {}", known.account.url).into());
        };
        if is_good(&stored, rejected)? && !is_old(&stored) {
            return Ok(stored);
        }
        let tokens = self.client.auth().refresh(&stored.refresh_token).await?;
        let renewed = Login::new(stored.account, stored.subject, tokens);
        locked.put(renewed.clone()).map_err(said)?;
        Ok(renewed)
    }
}

impl TokenSource for Renewing {
    fn token<'a>(&'a self, rejected: Option<&'a Token>) -> TokenFuture<'a> {
        Box::pin(async move { Ok(Token::new(&self.login(rejected).await?.access_token)?) })
    }
}

fn is_old(login: &Login) -> bool {
    Timestamp::now() >= login.old_at()
}

/// Whether a server would take the token, as far as one can know.
fn is_good(login: &Login, rejected: Option<&Token>) -> Result<bool> {
    let token = Token::new(&login.access_token)?;
    Ok(Some(&token) != rejected && Timestamp::now() < login.expires_at)
}

/// What is wrong with the file, in a form that the library hands on.
fn said(failure: Failure) -> Box<dyn std::error::Error + Send + Sync> {
    failure.clause().into()
}
