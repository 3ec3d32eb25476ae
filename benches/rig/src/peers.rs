//! One call, made in several ways: each gives the number of bytes of one of the answer's strings, so that nothing of it
//! can be left out.

use std::time::Duration;

use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use progenitor_client::ResponseValue;
use report::Result;
use serde::de::DeserializeOwned;
use stromboli::{Health, Job};

use crate::by_hand::ByHand;

/// Of connecting, and of a whole call.
pub const TIMEOUT: Duration = Duration::from_secs(30);
const JOB_ID: &str = "job-0123456789abcdef";

/// The call that is made.
#[derive(Clone, Copy, Debug)]
pub enum Operation {
    /// `GET /health`.
    Health,
    /// `GET /jobs/{id}`, a job with 1 KiB of output.
    JobGet,
}

impl Operation {
    /// By the id that it has in the contract.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "health" => Some(Self::Health),
            "job_get" => Some(Self::JobGet),
            _ => None,
        }
    }

    /// As the contract has it.
    fn template(self) -> &'static str {
        match self {
            Self::Health => "/health",
            Self::JobGet => "/jobs/{id}",
        }
    }

    fn path(self) -> String {
        match self {
            Self::Health => "/health".to_owned(),
            Self::JobGet => format!("/jobs/{JOB_ID}"),
        }
    }
}

/// Makes so many calls one after the other, on one thread.
pub(crate) fn call(url: &str, peer: &str, operation: &str, calls: &str) -> Result<()> {
    let operation = Operation::named(operation).ok_or("no such operation")?;
    let calls: u32 = calls.parse()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let peer = Peer::named(peer, url)?;
        for _ in 0..calls {
            std::hint::black_box(peer.call(operation).await?);
        }
        Ok(())
    })
}

/// Who makes it.
pub enum Peer {
    /// We.
    Stromboli(stromboli::Client),
    /// Reqwest with timeouts and `json::<T>()`.
    Reqwest(reqwest::Client, String),
    /// Reqwest, and around it by hand what we do.
    ByHand(ByHand),
    /// What progenitor's calls do without hooks.
    Progenitor(reqwest::Client, String),
    /// The pool of connections that reqwest has too.
    Hyper(Box<HyperClient<HttpConnector, Empty<Bytes>>>, String),
}

impl Peer {
    /// Ready to call the server at `url`.
    ///
    /// # Errors
    /// When there is none of this name.
    pub fn named(name: &str, url: &str) -> Result<Self> {
        let reqwest = || {
            reqwest::Client::builder()
                .connect_timeout(TIMEOUT)
                .timeout(TIMEOUT)
                .no_proxy()
                .build()
        };
        Ok(match name {
            "stromboli" => Self::Stromboli(stromboli::Client::new(url)?),
            "never" => {
                let never = stromboli::RetryPolicy::never();
                Self::Stromboli(stromboli::Client::builder(url).retry(never).build()?)
            }
            "reqwest" => Self::Reqwest(reqwest()?, url.to_owned()),
            "reqwest by hand" => Self::ByHand(ByHand::new(url)?),
            "progenitor-client" => Self::Progenitor(reqwest()?, url.to_owned()),
            "hyper-util" => {
                let client = HyperClient::builder(TokioExecutor::new()).build_http();
                Self::Hyper(Box::new(client), url.to_owned())
            }
            _ => return Err(format!("no peer {name}").into()),
        })
    }

    /// One call.
    ///
    /// # Errors
    /// Whatever its client has to say.
    pub async fn call(&self, operation: Operation) -> Result<usize> {
        if let Self::Stromboli(client) = self {
            return Ok(match operation {
                Operation::Health => client.health().await?.version.len(),
                Operation::JobGet => client.job(JOB_ID).get().await?.id.len(),
            });
        }
        Ok(match operation {
            Operation::Health => self.get::<Health>(operation).await?.version.len(),
            Operation::JobGet => self.get::<Job>(operation).await?.id.len(),
        })
    }

    async fn get<T: DeserializeOwned>(&self, operation: Operation) -> Result<T> {
        match self {
            Self::Stromboli(_) => Err("has calls of its own".into()),
            Self::Reqwest(client, url) => {
                let request = client.get(format!("{url}{}", operation.path()));
                Ok(request.send().await?.error_for_status()?.json().await?)
            }
            Self::ByHand(client) => client.get(operation.template(), &operation.path()).await,
            Self::Progenitor(client, url) => {
                let request = client.get(format!("{url}{}", operation.path())).build()?;
                let response = client.execute(request).await?.error_for_status()?;
                Ok(ResponseValue::<T>::from_response::<()>(response).await?.into_inner())
            }
            Self::Hyper(client, url) => {
                let get = async {
                    let response = client.get(format!("{url}{}", operation.path()).parse()?).await?;
                    if !response.status().is_success() {
                        return Err(response.status().to_string().into());
                    }
                    let body = response.into_body().collect().await?.to_bytes();
                    Ok::<T, Box<dyn std::error::Error + Send + Sync>>(serde_json::from_slice(&body)?)
                };
                tokio::time::timeout(TIMEOUT, get).await?
            }
        }
    }
}
