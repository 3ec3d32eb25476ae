//! Runs whose answer is a type of yours: its JSON Schema goes out with the prompt.

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema};
use serde::de::DeserializeOwned;
use serde_json::Value;
use stromboli_generated::types::{OutputFormat, RunRequest};

use crate::client::Client;
use crate::error::{Error, ErrorKind, Result};

impl Client {
    /// Runs a prompt and gives its answer as a `T`, whose JSON Schema goes out with the request.
    ///
    /// ```no_run
    /// # async fn example(client: stromboli::Client) -> stromboli::Result<()> {
    /// use stromboli::RunRequest;
    ///
    /// #[derive(serde::Deserialize, schemars::JsonSchema)]
    /// struct Verdict {
    ///     /// In one sentence.
    ///     summary: String,
    ///     score: u8,
    /// }
    /// let verdict: Verdict = client.run_as(RunRequest::new("Score this PR")).await?;
    /// println!("{}: {}", verdict.score, verdict.summary);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// `T` is to be a struct or a map, because the agent answers with an object, and its doc comments are read by the
    /// model. The schema is of draft 7 and has no `format`, which some releases of the CLI refuse; `T` alone decides
    /// what fits. To send a schema of your own, [`run`](Client::run) the request and ask its reply for
    /// [`structured`](stromboli_generated::types::RunResponse::structured).
    ///
    /// # Errors
    /// As [`run`](Client::run); [`is_agent_failed`](Error::is_agent_failed) as
    /// [`RunResponse::ok`](stromboli_generated::types::RunResponse::ok) says; [`ErrorKind::Decode`] when the answer does not
    /// fit `T` or there is none: the raw value is then in [`Error::body`], and [`Error::reply`] names the session to go on
    /// with. [`ErrorKind::InvalidInput`] for a request that has a schema already, or an output format other than JSON.
    pub async fn run_as<T: DeserializeOwned + JsonSchema>(&self, request: impl Into<RunRequest>) -> Result<T> {
        let mut request = request.into();
        let claude = request.claude.get_or_insert_default();
        if claude.json_schema.is_some() {
            let message = "request has a json_schema, and run_as sends that of its type; use run and structured";
            return Err(Error::new(ErrorKind::InvalidInput, message));
        }
        if !matches!(claude.output_format, None | Some(OutputFormat::Json)) {
            let message = "request has an output_format other than json, with which there is no structured output";
            return Err(Error::new(ErrorKind::InvalidInput, message));
        }
        claude.output_format = Some(OutputFormat::Json);
        claude.json_schema = Some(schema::<T>().to_string());
        Ok(self.run(request).await?.ok()?.structured()?)
    }
}

/// The schema of what deserializes into `T`, as far as the CLI understands schemas. Its validator knows draft 7 only and
/// refuses a schema that names a later one; so it does with formats that it does not know, such as `uint8`.
fn schema<T: JsonSchema>() -> Value {
    let without_format = RecursiveTransform(|schema: &mut Schema| {
        schema.remove("format");
    });
    let mut settings = SchemaSettings::draft07().with_transform(without_format);
    settings.meta_schema = None;
    settings.into_generator().into_root_schema_for::<T>().to_value()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only its schema counts")]
    struct Verdict {
        /// In one sentence.
        summary: String,
        score: u8,
        format: Option<Vec<Inner>>,
    }

    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only its schema counts")]
    struct Inner {
        ratio: f64,
    }

    #[test]
    fn a_schema_names_no_draft_and_no_format_but_keeps_a_field_of_that_name() {
        let schema = schema::<Verdict>();
        assert_eq!(schema.get("$schema"), None);
        assert_eq!(schema["properties"]["summary"]["description"], "In one sentence.");
        let score = json!({"type": "integer", "minimum": 0, "maximum": 255});
        assert_eq!(schema["properties"]["score"], score);
        assert_eq!(schema["properties"]["format"]["items"]["$ref"], "#/definitions/Inner");
        assert_eq!(
            schema["definitions"]["Inner"]["properties"]["ratio"],
            json!({"type": "number"})
        );
        assert_eq!(schema["required"], json!(["summary", "score"]));
    }
}
