//! The bearer token: checked once, never printed; and where the token of a call comes from.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use reqwest::header::HeaderValue;

use crate::error::{Error, ErrorKind, Result};

/// Longest value this crate puts into a header, in bytes. Proxies in front of servers cut header lines off at 8 to
/// 16 KiB, and then the server's answer says nothing of the reason.
pub(crate) const MAX_HEADER_VALUE: usize = 16 * 1024;

/// An API token or an access JWT (WIRE §3), as it follows `Bearer`.
///
/// `Debug` prints nothing of it, and the header that carries it is marked sensitive.
///
/// ```
/// use stromboli::Token;
///
/// let token = Token::new("eyJhbGciOi")?;
/// assert_eq!(format!("{token:?}"), "Token([redacted])");
/// # Ok::<(), stromboli::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Token(HeaderValue);

impl Token {
    /// Checks `token`, which is given without `Bearer`.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] for an empty token, one above 16 KiB, or one with spaces, line breaks, control or
    /// non-ASCII characters. The error does not repeat the token.
    pub fn new(token: impl AsRef<str>) -> Result<Self> {
        let token = token.as_ref();
        let invalid = |message: String| Error::new(ErrorKind::InvalidInput, message);
        if token.is_empty() {
            return Err(invalid("token is empty".into()));
        }
        if token.len() > MAX_HEADER_VALUE {
            return Err(invalid(format!(
                "token has {} bytes, the most is {MAX_HEADER_VALUE}",
                token.len()
            )));
        }
        if let Some(at) = token.bytes().position(|b| !b.is_ascii_graphic()) {
            return Err(invalid(format!(
                "token has a space, control or non-ASCII character at byte {at}; give it without `Bearer` and line breaks"
            )));
        }
        let mut value = HeaderValue::try_from(format!("Bearer {token}"))
            .map_err(|_| invalid("token does not fit into a header".into()))?;
        value.set_sensitive(true);
        Ok(Self(value))
    }

    pub(crate) fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token([redacted])")
    }
}

/// What [`TokenSource::token`] gives back: a token, or whatever error the source has.
pub type TokenFuture<'a> =
    Pin<Box<dyn Future<Output = Result<Token, Box<dyn std::error::Error + Send + Sync>>> + Send + 'a>>;

/// Gives the token for each call: from a file, a vault, or an identity provider.
///
/// ```
/// use stromboli::{Client, Token, TokenFuture, TokenSource};
///
/// struct File(std::path::PathBuf);
///
/// impl TokenSource for File {
///     fn token<'a>(&'a self, _rejected: Option<&'a Token>) -> TokenFuture<'a> {
///         Box::pin(async {
///             let text = std::fs::read_to_string(&self.0)?;
///             Ok(Token::new(text.trim())?)
///         })
///     }
/// }
///
/// let client = Client::builder("http://localhost:8080").token_source(File("/run/token".into())).build()?;
/// # Ok::<(), stromboli::Error>(())
/// ```
pub trait TokenSource: Send + Sync + 'static {
    /// A token that is valid now. Asked before every attempt, so keep what is still good.
    ///
    /// `rejected` is the token to which the server has just answered 401: give another. That happens at most once in a
    /// call.
    ///
    /// # Errors
    /// Whatever the source has to say: nothing is sent, and the call fails with
    /// [`ErrorKind::Unavailable`], whose `source()` it is. An [`Error`] of this crate stays what it is.
    fn token<'a>(&'a self, rejected: Option<&'a Token>) -> TokenFuture<'a>;
}

/// Where the tokens of a client come from.
#[derive(Clone, Default)]
pub(crate) enum Auth {
    #[default]
    None,
    Fixed(Token),
    Source(Arc<dyn TokenSource>),
}

impl Auth {
    pub(crate) async fn token(&self, rejected: Option<&Token>) -> Result<Option<Token>> {
        match self {
            Self::None => Ok(None),
            Self::Fixed(token) => Ok(Some(token.clone())),
            Self::Source(source) => source.token(rejected).await.map(Some).map_err(|error| {
                error.downcast::<Error>().map_or_else(
                    |other| Error::new(ErrorKind::Unavailable, "token source has no token now").with_source(other),
                    |own| *own,
                )
            }),
        }
    }

    /// Whether a refused token can be followed by another.
    pub(crate) fn renews(&self) -> bool {
        matches!(self, Self::Source(_))
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "no token",
            Self::Fixed(_) => "a token",
            Self::Source(_) => "a token source",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_cannot_be_sent_is_refused_without_being_repeated() {
        for bad in [
            "",
            "top\nsecret",
            "topsecret\r\n",
            "Bearer topsecret",
            "topsecret\u{7f}",
            "töpsecret",
            &"x".repeat(MAX_HEADER_VALUE + 1),
        ] {
            let error = Token::new(bad).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
        }
    }

    #[test]
    fn a_token_becomes_a_sensitive_header() {
        let header = Token::new("abc.def").unwrap().header();
        assert_eq!(header.to_str().unwrap(), "Bearer abc.def");
        assert!(header.is_sensitive());
    }
}
