//! The answer of a run or a job as a type of yours.

use std::{any, error, fmt};

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::outcome::{Reply, envelope};
use crate::types::{Job, RunResponse};

impl RunResponse {
    /// The answer in the form of the request's `json_schema`, as a `T`.
    ///
    /// It is `structured_output`, or where the server found none, that of the result envelope in the output's last
    /// line: a line on stderr before it hides it from the server (WIRE §6).
    ///
    /// ```
    /// # let reply = r#"{"id": "run-1", "status": "completed", "structured_output": {"score": 7}}"#;
    /// # let reply: stromboli_generated::types::RunResponse = serde_json::from_str(reply)?;
    /// #[derive(serde::Deserialize)]
    /// struct Verdict {
    ///     score: u8,
    /// }
    /// let verdict: Verdict = reply.ok()?.structured()?;
    /// assert_eq!(verdict.score, 7);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`StructuredError`], which holds the raw value and the reply: there is none, or it does not fit `T`.
    pub fn structured<T: DeserializeOwned>(&self) -> Result<T, StructuredError> {
        let reply = || Reply::Run(Box::new(self.clone()));
        structured(self.structured_output.as_ref(), self.text(), reply)
    }
}

impl Job {
    /// The answer in the form of the request's `json_schema`, as a `T`; see [`RunResponse::structured`].
    ///
    /// # Errors
    /// [`StructuredError`], which holds the raw value and the job: there is none, or it does not fit `T`.
    pub fn structured<T: DeserializeOwned>(&self) -> Result<T, StructuredError> {
        let reply = || Reply::Job(Box::new(self.clone()));
        structured(self.structured_output.as_ref(), self.text(), reply)
    }
}

/// A reply whose structured output is missing or does not fit.
///
/// `Display` names the type that was wanted; what did not fit, in serde's words, is in `source()`.
#[derive(Debug)]
pub struct StructuredError {
    wanted: &'static str,
    value: Option<Value>,
    source: Option<serde_json::Error>,
    reply: Reply,
}

impl StructuredError {
    /// The value as it came; `None` when there was none.
    pub fn value(&self) -> Option<&Value> {
        self.value.as_ref()
    }

    /// The reply; `None` when this is about a job.
    pub fn reply(&self) -> Option<&RunResponse> {
        self.reply.run()
    }

    /// The job; `None` when this is about a run that was waited for.
    pub fn job(&self) -> Option<&Job> {
        self.reply.job()
    }
}

impl fmt::Display for StructuredError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.value {
            None => f.write_str("reply has no structured output"),
            Some(_) => write!(f, "structured output does not fit {}", self.wanted),
        }
    }
}

impl error::Error for StructuredError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.source.as_ref().map(|source| source as _)
    }
}

fn structured<T: DeserializeOwned>(
    value: Option<&Value>,
    output: &str,
    reply: impl Fn() -> Reply,
) -> Result<T, StructuredError> {
    let error = |value, source| StructuredError {
        wanted: any::type_name::<T>(),
        value,
        source,
        reply: reply(),
    };
    let found = match value {
        Some(value) => value,
        None => &envelope(output)
            .and_then(|envelope| envelope.structured_output)
            .ok_or_else(|| error(None, None))?,
    };
    T::deserialize(found).map_err(|source| error(Some(found.clone()), Some(source)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn job(rest: Value) -> Job {
        let time = "2026-05-06T12:00:00Z";
        let mut job = json!({"id": "job-1", "status": "completed", "created_at": time, "updated_at": time});
        job.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        serde_json::from_value(job).unwrap()
    }

    #[test]
    fn structured_output_is_found_in_the_envelope_when_the_server_missed_it() {
        let envelope = r#"{"type":"result","is_error":false,"structured_output":[1,2]}"#;
        let output = format!("warning: stderr\n{envelope}");
        assert_eq!(job(json!({"output": output})).structured::<Vec<u8>>().unwrap(), [1, 2]);
        let both = job(json!({"output": output, "structured_output": [3]}));
        assert_eq!(
            both.structured::<Vec<u8>>().unwrap(),
            [3],
            "what the server found counts"
        );
    }

    #[test]
    fn structured_output_that_is_missing_or_does_not_fit_is_an_error_with_the_raw_value() {
        let none = job(json!({"output": "7"}));
        let error = none.structured::<u8>().unwrap_err();
        assert_eq!(
            (error.to_string().as_str(), error.value()),
            ("reply has no structured output", None)
        );
        assert_eq!(error.job(), Some(&none));

        let misfit = json!({"id": "run-1", "status": "completed", "structured_output": "secret"});
        let misfit: RunResponse = serde_json::from_value(misfit).unwrap();
        let error = misfit.structured::<u8>().unwrap_err();
        assert_eq!(error.to_string(), "structured output does not fit u8");
        assert_eq!((error.value(), error.reply()), (Some(&json!("secret")), Some(&misfit)));
        assert!(
            error::Error::source(&error)
                .unwrap()
                .to_string()
                .contains("expected u8")
        );
    }
}
