use super::*;

fn rewritten(source: &str) -> String {
    let mut file = syn::parse_str(source).unwrap();
    client(&mut file).unwrap();
    prettyplease::unparse(&file)
}

#[test]
fn the_version_header_is_gone_and_decoding_goes_through_the_seam() {
    let code = rewritten(
        "impl Client { async fn get(&self) {
            let mut header_map = HeaderMap::with_capacity(1usize);
            header_map.append(a, b);
            let request = self.client.get(url).headers(header_map).build()?;
            match 1 { 200u16 => ResponseValue::from_response(response).await, _ => x }
        } }",
    );
    assert!(!code.contains("header_map"), "{code}");
    assert!(code.contains("self.client.get(url).build()?"), "{code}");
    let decoded = "crate::transport::decode(response)";
    assert!(code.contains(decoded), "{code}");
}

#[test]
fn what_an_answer_may_be_is_said_by_the_seam() {
    let code = rewritten(
        r#"impl Client { async fn get(&self) {
            let request = self.client.get(url)
                .header(::reqwest::header::ACCEPT, ::reqwest::header::HeaderValue::from_static("application/json"))
                .query(&query)
                .build()?;
        } }"#,
    );
    let request = "crate::transport::accepts_json(self.client.get(url)).query(&query).build()?";
    // However its lines are broken.
    let unbroken = code.split_whitespace().collect::<String>();
    assert!(unbroken.contains(request), "{code}");
}

#[test]
fn a_request_of_a_url_alone_is_made_without_a_builder() {
    let code = rewritten(
        r#"impl Client { async fn stop(&self) {
            let request = self.client.delete(url)
                .header(::reqwest::header::ACCEPT, ::reqwest::header::HeaderValue::from_static("application/json"))
                .build()?;
        } }"#,
    );
    let request = "let request = crate::transport::asks_for_json(::reqwest::Method::DELETE, url);";
    assert!(code.contains(request), "{code}");
}

#[test]
fn a_request_of_a_url_and_a_body_is_made_without_a_builder() {
    let code = rewritten(
        r#"impl Client { async fn run(&self) {
            let request = self.client.post(url)
                .header(::reqwest::header::ACCEPT, ::reqwest::header::HeaderValue::from_static("application/json"))
                .json(&body)
                .build()?;
        } }"#,
    );
    let request = "crate::transport::sends_json(::reqwest::Method::POST,url,::serde_json::to_vec(body),)?";
    let unbroken = code.split_whitespace().collect::<String>();
    assert!(unbroken.contains(request), "{code}");
}

#[test]
fn requests_are_sent_by_the_seam_without_hooks_around() {
    let code = rewritten(
        r#"impl Client { async fn get(&self) {
            #[allow(unused_mut)]
            let mut request = self.client.get(url).build()?;
            let info = OperationInfo { operation_id: "job_get" };
            self.pre(&mut request, &info).await?;
            let result = self.exec(request, &info).await;
            self.post(&result, &info).await?;
            let response = result?;
            match response.status().as_u16() { _ => x }
        } }
        const _: () = { fn assert_client_hooks() where Client: ClientHooks {} };"#,
    );
    let statements = [
        "let request = self.client.get(url).build()?;",
        r#"let response = self.inner.execute(request, "job_get").await?;"#,
        "match response.status().as_u16()",
    ];
    let body: Vec<&str> = code.lines().map(str::trim).collect();
    assert_eq!(body[2..4], statements[..2], "{code}");
    assert!(body[4].starts_with(statements[2]), "{code}");
    assert!(!code.contains("hooks") && !code.contains("unused_mut"), "{code}");
}

#[test]
fn the_base_url_is_read_once() {
    let code = rewritten(
        r#"pub struct Client { pub(crate) baseurl: String }
        impl Client {
            fn new_with_client(baseurl: &str) -> Self { Self { baseurl: baseurl.to_string() } }
            async fn get(&self) { let url = format!("{}/jobs/{}", self.baseurl, encode_path(&id.to_string()),); }
        }"#,
    );
    assert!(code.contains("pub(crate) base: Option<::reqwest::Url>"), "{code}");
    assert!(code.contains("base: crate::transport::base(baseurl)"), "{code}");
    let call = r#"crate::transport::url(self, format_args!("/jobs/{}", encode_path(id)))?"#;
    // However its lines are broken.
    let unbroken = code.split_whitespace().collect::<String>().replace(",)", ")");
    assert!(unbroken.contains(&call.replace(' ', "")), "{code}");
}

#[test]
fn ids_are_encoded_by_the_seam() {
    let code = rewritten("use progenitor_client::{encode_path, ClientHooks};");
    assert!(code.contains("crate::transport::encode_path"), "{code}");
    assert!(!code.contains("{encode_path"), "{code}");
}

#[test]
fn the_constructor_and_the_prelude_are_gone() {
    let code = rewritten("impl Client { pub fn new() {} pub fn other() {} } pub mod prelude {}");
    assert!(!code.contains("new") && !code.contains("prelude"), "{code}");
    assert!(code.contains("other"), "{code}");
}

#[test]
fn sensitive_fields_are_not_in_debug_output() {
    let contract = serde_json::json!({"components": {"schemas": {"A": {"properties": {
        "token": {"x-sensitive": true}, "name": {}}}}}});
    let mut file = syn::parse_str(
        "pub mod types { #[derive(::serde::Deserialize, Clone, Debug)] pub struct A { pub token: String, pub name: String } }",
    )
    .unwrap();
    redact_debug(&mut file, &contract).unwrap();
    let code = prettyplease::unparse(&file);
    assert!(code.contains("#[derive(::serde::Deserialize, Clone)]"), "{code}");
    assert!(
        code.contains(".field(\"token\", &::std::format_args!(\"[redacted]\"))"),
        "{code}"
    );
    assert!(code.contains(".field(\"name\", &self.name)"), "{code}");
}

#[test]
fn unknown_fields_of_responses_are_kept() {
    let mut file =
        syn::parse_str("pub mod types { pub struct A { pub a: String } pub struct B { pub b: String } }").unwrap();
    keep_unknown_fields(&mut file, &BTreeSet::from(["A".to_owned()]));
    let code = prettyplease::unparse(&file);
    assert_eq!(code.matches("pub extra").count(), 1, "{code}");
}

#[test]
fn streams_are_opened_by_the_seam() {
    let code = rewritten("impl Client { async fn watch(&self) { Ok(ResponseValue::stream(response)) } }");
    assert!(code.contains("Ok(crate::transport::stream(response))"), "{code}");
}

#[test]
fn answers_without_a_body_are_taken_by_the_seam() {
    let code = rewritten("impl Client { async fn stop(&self) { Ok(ResponseValue::empty(response)) } }");
    assert!(code.contains("Ok(crate::transport::empty(response))"), "{code}");
}
