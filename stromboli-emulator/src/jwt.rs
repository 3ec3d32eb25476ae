//! JSON Web Tokens as the server signs and reads them: HS256 and nothing else.

use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::json;

/// Go does not look at the bits that the last character has too many.
const BASE64: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, NO_PAD.with_decode_allow_trailing_bits(true));

/// The first part of every token that the server makes.
const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

/// What a token claims, in the server's order. Times are unix seconds; the server's own tokens lack none of these.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Claims {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) sub: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) exp: Option<f64>,
    #[serde(skip_serializing)]
    pub(crate) nbf: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) iat: Option<f64>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) jti: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_refresh: bool,
}

/// `claims` as a token; none for what cannot be written, which no claims of ours are.
pub(crate) fn sign(claims: &Claims, secret: &str) -> Option<String> {
    let claims = json::to_string(claims).ok()?;
    let message = format!("{}.{}", BASE64.encode(HEADER), BASE64.encode(claims));
    let signature = mac(secret, &message)?.finalize().into_bytes();
    Some(format!("{message}.{}", BASE64.encode(signature)))
}

/// The claims of `token`, if it was signed with `secret` and is valid `now`.
pub(crate) fn verify(token: &str, secret: &str, now: Timestamp) -> Option<Claims> {
    #[derive(Deserialize)]
    struct Header {
        alg: String,
    }
    let (message, signature) = token.rsplit_once('.')?;
    let (header, claims) = message.split_once('.').filter(|(_, claims)| !claims.contains('.'))?;
    let header: Header = serde_json::from_slice(&BASE64.decode(header).ok()?).ok()?;
    if header.alg != "HS256" {
        return None;
    }
    let signature = BASE64.decode(signature).ok()?;
    mac(secret, message)?.verify_slice(&signature).ok()?;
    let claims: Claims = serde_json::from_slice(&BASE64.decode(claims).ok()?).ok()?;
    let now = now.as_second() as f64;
    let expired = claims.exp.is_some_and(|exp| now >= exp.trunc());
    let early = claims.nbf.is_some_and(|nbf| now < nbf.trunc());
    (!expired && !early).then_some(claims)
}

fn mac(secret: &str, message: &str) -> Option<Hmac<Sha256>> {
    // HMAC takes keys of every length.
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?;
    mac.update(message.as_bytes());
    Some(mac)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn token(header: &str, claims: &str) -> String {
        let message = format!("{}.{}", BASE64.encode(header), BASE64.encode(claims));
        let signature = mac(SECRET, &message).unwrap().finalize().into_bytes();
        format!("{message}.{}", BASE64.encode(signature))
    }

    #[test]
    fn a_token_that_others_made_is_understood() {
        let token = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9\
            .eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ\
            .SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c";
        let claims = verify(token, "your-256-bit-secret", at(0)).unwrap();
        assert_eq!((claims.sub.as_str(), claims.iat), ("1234567890", Some(1_516_239_022.0)));
    }

    #[test]
    fn a_token_says_what_it_was_made_of() {
        let claims = Claims {
            sub: "a<b".to_owned(),
            exp: Some(2000.0),
            iat: Some(1000.0),
            jti: "id".to_owned(),
            is_refresh: true,
            ..Claims::default()
        };
        let signed = sign(&claims, SECRET).unwrap();
        let parts: Vec<_> = signed.split('.').map(|part| BASE64.decode(part).unwrap()).collect();
        assert_eq!(parts[0], HEADER.as_bytes());
        let expected = r#"{"sub":"a\u003cb","exp":2000,"iat":1000,"jti":"id","is_refresh":true}"#;
        assert_eq!(parts[1], expected.as_bytes());
        assert_eq!(parts[2].len(), 32);
        assert_eq!(verify(&signed, SECRET, at(1999)), Some(claims));
    }

    #[test]
    fn a_token_is_valid_until_it_expires_and_from_its_begin() {
        let header = HEADER;
        let expiring = token(header, r#"{"exp":2000.9}"#);
        assert!(verify(&expiring, SECRET, at(1999)).is_some());
        assert!(verify(&expiring, SECRET, at(2000)).is_none());
        let coming = token(header, r#"{"nbf":2000}"#);
        assert!(verify(&coming, SECRET, at(1999)).is_none());
        assert!(verify(&coming, SECRET, at(2000)).is_some());
        assert!(verify(&token(header, "{}"), SECRET, at(i64::from(i32::MAX))).is_some());
    }

    #[test]
    fn what_is_not_a_token_of_ours_is_none() {
        let good = token(HEADER, "{}");
        assert!(verify(&good, SECRET, at(0)).is_some());
        let (message, signature) = good.rsplit_once('.').unwrap();
        let bad = [
            String::new(),
            "a.b".to_owned(),
            "a.b.c".to_owned(),
            message.to_owned(),
            format!("{message}."),
            format!("{message}.{signature}x"),
            format!("{message}.{signature}="),
            format!(" {good}"),
            format!("{good}.{signature}"),
            good.replace('.', ".."),
            token(r#"{"alg":"none"}"#, "{}"),
            token(r#"{"alg":"HS384"}"#, "{}"),
            token(r#"{"alg":"hs256"}"#, "{}"),
            token("{}", "{}"),
            token(HEADER, "[1]"),
            token(HEADER, r#"{"exp":"2000"}"#),
            format!("{}.{}.", BASE64.encode(r#"{"alg":"none"}"#), BASE64.encode("{}")),
        ];
        for token in bad {
            assert_eq!(verify(&token, SECRET, at(0)), None, "{token}");
        }
        assert_eq!(verify(&good, "another secret", at(0)), None);
    }
}
