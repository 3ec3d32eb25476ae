//! What every command is handed: the settings, where it prints, and the client.

use std::io::IsTerminal;
use std::path::Path;
use std::sync::OnceLock;

use stromboli::{Client, ClientBuilder, Credentials, Token};

use crate::args::GlobalArgs;
use crate::exit::{Complaint, Failure};
use crate::login::{Account, Logins, Renewing};
use crate::output::Output;
use crate::settings::{Origin, PROJECT_FILE, Proof, Settings, Sources};

/// How this program names itself to servers.
const USER_AGENT: &str = concat!("stromboli-cli/", env!("CARGO_PKG_VERSION"));

pub(crate) struct Context {
    /// Kept with its problem, because some commands work without settings.
    settings: Result<Settings, Complaint>,
    pub(crate) output: Output,
    /// Whether there is somebody to be asked: both ends are a terminal.
    pub(crate) interactive: bool,
    /// Whether every question is answered with yes.
    pub(crate) yes: bool,
    client: OnceLock<Client>,
}

impl Context {
    pub(crate) fn new(global: &GlobalArgs) -> Self {
        let settings = Settings::resolve(&Sources::of_process(global));
        let output = match &settings {
            Ok(settings) => Output::new(settings.output.value, settings.color.value, global.quiet),
            Err(_) => Output::new(
                global.output.unwrap_or_default(),
                global.color.unwrap_or_default(),
                global.quiet,
            ),
        };
        Self {
            settings,
            output,
            interactive: std::io::stdin().is_terminal() && std::io::stderr().is_terminal(),
            yes: global.yes,
            client: OnceLock::new(),
        }
    }

    /// The settings, or what is wrong with them.
    pub(crate) fn settings(&self) -> Result<&Settings, Failure> {
        self.settings
            .as_ref()
            .map_err(|problem| Failure::Usage(problem.clone()))
    }

    /// The client of the configured server, made when it is first asked for. Nothing is sent.
    pub(crate) fn client(&self) -> Result<&Client, Failure> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let builder = self.builder()?;
        let builder = match self.identity()? {
            Identity::Proof(Proof::Token(token), _) => builder.token(Token::new(token)?),
            Identity::Proof(Proof::Credentials { client_id, api_token }, _) => {
                builder.credentials(Credentials::client_id(client_id, api_token)?)
            }
            Identity::Login(login) => builder.token_source(login),
            Identity::None => builder,
        };
        let client = builder.build()?;
        Ok(self.client.get_or_init(|| client))
    }

    /// A client that sends no token.
    pub(crate) fn bare_client(&self) -> Result<Client, Failure> {
        Ok(self.builder()?.build()?)
    }

    /// A client that sends this token.
    pub(crate) fn client_with(&self, token: Token) -> Result<Client, Failure> {
        Ok(self.builder()?.token(token).build()?)
    }

    /// What a login to the configured server is kept under.
    pub(crate) fn account(&self) -> Result<Account, Failure> {
        let settings = self.settings()?;
        let profile = settings.profile.as_ref().map(|profile| profile.value.as_str());
        Ok(Account::new(settings.url()?, profile))
    }

    /// Who the user is to the configured server: what the environment says, or else a login.
    pub(crate) fn identity(&self) -> Result<Identity, Failure> {
        let settings = self.settings()?;
        let proof = settings.token.as_ref();
        if let Some(proof) = proof
            && settings.foreign().is_none()
        {
            return Ok(Identity::Proof(proof.value.clone(), proof.origin.clone()));
        }
        // One that the user made for this very server, whoever names that.
        if let Some(logins) = Logins::of_user()
            && let Some(login) = logins.get(&self.account()?)?
        {
            return Ok(Identity::Login(Renewing::new(logins, login, &self.bare_client()?)));
        }
        match proof {
            Some(proof) => Err(withheld(settings, &proof.origin)?),
            None => Ok(Identity::None),
        }
    }

    fn builder(&self) -> Result<ClientBuilder, Failure> {
        Ok(Client::builder(self.settings()?.url()?).user_agent(USER_AGENT))
    }
}

/// Who the user is to a server.
pub(crate) enum Identity {
    /// What the environment has, and the variable.
    Proof(Proof, Origin),
    Login(Renewing),
    None,
}

/// Why what the environment has is not sent: an environment is for one server, and a file that came with a repository can
/// name another.
fn withheld(settings: &Settings, variable: &Origin) -> Result<Failure, Failure> {
    let url = settings.url()?;
    let file = settings.foreign().unwrap_or(Path::new(PROJECT_FILE)).display();
    let clause = format!("{variable} is not sent to {url}, which only {file} names");
    Ok(Failure::usage(clause).next(format!(
        "if you trust that server, say so with STROMBOLI_URL={url} or --url, or log in to it with `stromboli auth login`"
    )))
}
