//! What is changed in progenitor's output, each with its reason.

use std::collections::BTreeSet;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use serde_json::Value;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::visit_mut::{self, VisitMut};
use syn::{Expr, File, Item, ItemStruct, Stmt, Token, parse_quote};

use crate::contract;

/// Rewrites the client: no constructor with a total timeout of its own, no prelude, no `api-version` header that
/// no Stromboli server reads; bodies decoded by the seam, which keeps status and headers when decoding fails, and put back
/// by it into responses that are not what the contract promises; the base URL read once instead of in each call; ids
/// encoded by it, because progenitor leaves a backslash as it is, which URLs take for a slash; and requests sent by it
/// directly: progenitor's hooks around them would keep room for the request and the response in each call's future.
pub fn client(file: &mut File) -> Result<(), String> {
    file.items.retain(|item| match item {
        Item::Mod(module) => module.ident != "prelude",
        // That the hooks are there, which nothing calls any more.
        Item::Const(constant) => constant.ident != "_",
        _ => true,
    });
    for item in &mut file.items {
        if let Item::Struct(item) = item
            && item.ident == "Client"
        {
            // The seam has one without the HTTP client, which may be the caller's and have a header with a secret.
            drop_derive(item, "Debug")?;
            if let syn::Fields::Named(fields) = &mut item.fields {
                fields.named.push(parse_quote!(pub(crate) base: Option<::reqwest::Url>));
            }
        }
        if let Item::Impl(item) = item {
            item.items
                .retain(|i| !matches!(i, syn::ImplItem::Fn(f) if f.sig.ident == "new"));
        }
    }
    for item in &mut file.items {
        // It is called within `format!`, so its name must mean another function.
        if matches!(item, Item::Use(_)) && text(item).contains("encode_path") {
            *item = parse_quote!(
                use crate::transport::encode_path;
            );
        }
    }
    Calls.visit_file_mut(file);
    Ok(())
}

struct Calls;

impl VisitMut for Calls {
    fn visit_block_mut(&mut self, block: &mut syn::Block) {
        block.stmts.retain(|statement| !sets_version_header(statement));
        send_directly(&mut block.stmts);
        visit_mut::visit_block_mut(self, block);
    }

    fn visit_local_mut(&mut self, local: &mut syn::Local) {
        visit_mut::visit_local_mut(self, local);
        if text(&local.pat) == "url"
            && let Some(init) = &mut local.init
            && let Expr::Macro(format) = &*init.expr
            && let Some(path) = below_base(format.mac.tokens.clone())
        {
            *init.expr = parse_quote!(crate::transport::url(self, #path)?);
        }
    }

    fn visit_expr_struct_mut(&mut self, item: &mut syn::ExprStruct) {
        visit_mut::visit_expr_struct_mut(self, item);
        if item.fields.iter().any(|field| text(&field.member) == "baseurl") {
            item.fields
                .push(parse_quote!(base: ::reqwest::Url::parse(baseurl).ok()));
        }
    }

    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        visit_mut::visit_expr_mut(self, expr);
        if let Expr::MethodCall(call) = expr
            && call.method == "headers"
            && text(&call.args) == "header_map"
        {
            *expr = (*call.receiver).clone();
        } else if let Expr::Path(path) = expr
            && text(path) == "ResponseValue :: from_response"
        {
            *expr = parse_quote!(crate::transport::decode);
        } else if let Expr::Path(path) = expr
            && text(path) == "Error :: UnexpectedResponse"
        {
            *expr = parse_quote!(crate::transport::unexpected);
        }
    }
}

/// Of the arguments `"{}/jobs/{}", self.baseurl, id`, what follows the base: `format_args!("/jobs/{}", id)`.
fn below_base(arguments: TokenStream) -> Option<TokenStream> {
    let arguments = Punctuated::<Expr, Token![,]>::parse_terminated.parse2(arguments).ok()?;
    let mut arguments = arguments.into_iter();
    let (format, base) = (arguments.next()?, arguments.next()?);
    let Expr::Lit(syn::ExprLit {
        lit: syn::Lit::Str(format),
        ..
    }) = format
    else {
        return None;
    };
    let format = format.value().strip_prefix("{}")?.to_owned();
    let arguments = arguments.map(|argument| borrowed(&argument));
    (text(&base) == "self . baseurl").then(|| quote!(format_args!(#format #(, #arguments)*)))
}

/// `encode_path(id)` of `encode_path(&id.to_string())`: ids are strings.
fn borrowed(argument: &Expr) -> TokenStream {
    if let Expr::Call(call) = argument
        && let Some(Expr::Reference(reference)) = call.args.first()
        && let Expr::MethodCall(copy) = &*reference.expr
        && copy.method == "to_string"
    {
        let (function, id) = (&call.func, &copy.receiver);
        return quote!(#function(#id));
    }
    argument.to_token_stream()
}

fn sets_version_header(statement: &Stmt) -> bool {
    match statement {
        Stmt::Local(local) => text(&local.pat) == "mut header_map",
        Stmt::Expr(Expr::MethodCall(call), _) => text(&call.receiver) == "header_map",
        _ => false,
    }
}

/// `let response = self.inner.execute(request, "job_get").await?` in place of the hooks around it.
fn send_directly(statements: &mut Vec<Stmt>) {
    let mut id = None;
    statements.retain_mut(|statement| {
        let (name, value) = match statement {
            Stmt::Local(local) => {
                if text(&local.pat) == "mut request" {
                    local.pat = parse_quote!(request);
                    local.attrs.clear();
                }
                (text(&local.pat), local.init.as_mut().map(|init| &mut init.expr))
            }
            Stmt::Expr(hook, _) => {
                return !["self . pre (", "self . post ("]
                    .iter()
                    .any(|it| text(hook).starts_with(it));
            }
            _ => return true,
        };
        match (name.as_str(), value) {
            ("info", Some(value)) => {
                if let Expr::Struct(info) = &**value {
                    id = info.fields.first().map(|field| field.expr.clone());
                }
                id.is_none()
            }
            ("result", Some(value)) => !text(&*value).starts_with("self . exec ("),
            ("response", Some(value)) if text(&*value) == "result ?" && id.is_some() => {
                **value = parse_quote!(self.inner.execute(request, #id).await?);
                true
            }
            _ => true,
        }
    });
}

/// Gives each response type an `extra` map, so that fields a newer server sends are data and not lost.
pub fn keep_unknown_fields(file: &mut File, responses: &BTreeSet<String>) {
    for item in structs(file) {
        if responses.contains(&item.ident.to_string())
            && let syn::Fields::Named(fields) = &mut item.fields
        {
            fields.named.push(parse_quote!(
                /// Fields that this version of the contract does not name, as the server sent them.
                #[serde(flatten)]
                pub extra: ::serde_json::Map<::std::string::String, ::serde_json::Value>
            ));
        }
    }
}

/// Replaces the derived `Debug` of each type that has an `x-sensitive` field: prompts, tokens and secret values
/// must not reach a log by way of `{:?}`.
pub fn redact_debug(file: &mut File, contract: &Value) -> Result<(), String> {
    let mut impls = Vec::new();
    for item in structs(file) {
        let properties = &contract::schema(contract, &item.ident.to_string())["properties"];
        let secret: Vec<&str> = contract::object(properties)
            .filter(|(_, p)| p["x-sensitive"] == true)
            .map(|(name, _)| name.as_str())
            .collect();
        if !secret.is_empty() {
            drop_derive(item, "Debug")?;
            impls.push(debug_impl(item, &secret));
        }
    }
    types_module(file)?.extend(impls);
    Ok(())
}

fn debug_impl(item: &ItemStruct, secret: &[&str]) -> Item {
    let name = &item.ident;
    let label = name.to_string();
    let fields = item
        .fields
        .iter()
        .filter_map(|field| field.ident.as_ref())
        .map(|ident| {
            let label = ident.to_string();
            if secret.contains(&label.as_str()) {
                quote!(.field(#label, &::std::format_args!("[redacted]")))
            } else {
                quote!(.field(#label, &self.#ident))
            }
        });
    parse_quote! {
        impl ::std::fmt::Debug for #name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.debug_struct(#label)#(#fields)*.finish()
            }
        }
    }
}

fn drop_derive(item: &mut ItemStruct, name: &str) -> Result<(), String> {
    for attr in item.attrs.iter_mut().filter(|a| a.path().is_ident("derive")) {
        let mut kept = Vec::new();
        attr.parse_nested_meta(|meta| {
            if !meta.path.is_ident(name) {
                kept.push(meta.path);
            }
            Ok(())
        })
        .map_err(|e| format!("derive of {}: {e}", item.ident))?;
        *attr = parse_quote!(#[derive(#(#kept),*)]);
    }
    Ok(())
}

/// The items of `mod types`.
pub fn types_module(file: &mut File) -> Result<&mut Vec<Item>, String> {
    file.items
        .iter_mut()
        .find_map(|item| match item {
            Item::Mod(module) if module.ident == "types" => module.content.as_mut().map(|c| &mut c.1),
            _ => None,
        })
        .ok_or_else(|| "progenitor wrote no `mod types`".to_owned())
}

fn structs(file: &mut File) -> impl Iterator<Item = &mut ItemStruct> {
    let items = types_module(file).ok().into_iter().flatten();
    items.filter_map(|item| match item {
        Item::Struct(item) => Some(item),
        _ => None,
    })
}

fn text(tokens: &impl ToTokens) -> String {
    tokens.to_token_stream().to_string()
}

#[cfg(test)]
mod tests {
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
        assert!(code.contains("crate::transport::decode(response).await"), "{code}");
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
        assert!(code.contains("base: ::reqwest::Url::parse(baseurl).ok()"), "{code}");
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
}
