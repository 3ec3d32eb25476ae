//! What is changed in progenitor's output, each with its reason.

use std::collections::BTreeSet;

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};
use serde_json::Value;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, Expr, File, Item, ItemStruct, Stmt, Token, parse_quote};

use crate::contract;

/// Rewrites the client: no constructor with a total timeout of its own, no prelude, no `api-version` header that
/// no Stromboli server reads; bodies decoded by the seam, which keeps status and headers when decoding fails, and put back
/// by it into responses that are not what the contract promises; streams opened by it without a copy of their headers; the base URL read once instead of in each call; ids
/// encoded by it, because progenitor leaves a backslash as it is, which URLs take for a slash; and requests sent by it
/// directly: progenitor's hooks around them would keep room for the request and the response in each call's future. A request
/// that has nothing but a URL is made without a builder, which is as large as the request and is handed on four times.
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
            drop_derive(&mut item.attrs, "Debug")?;
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
            item.fields.push(parse_quote!(base: crate::transport::base(baseurl)));
        }
    }

    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        visit_mut::visit_expr_mut(self, expr);
        if let Expr::MethodCall(call) = expr
            && call.method == "headers"
            && text(&call.args) == "header_map"
        {
            *expr = (*call.receiver).clone();
        } else if let Expr::MethodCall(call) = expr
            && call.method == "header"
            && text(&call.args).contains("ACCEPT")
            && text(&call.args).contains("application/json")
        {
            let request = &call.receiver;
            *expr = parse_quote!(crate::transport::accepts_json(#request));
        } else if let Expr::Try(built) = expr
            && let Some(method) = without_body(&text(&built.expr))
        {
            *expr = parse_quote!(crate::transport::asks_for_json(::reqwest::Method::#method, url));
        } else if let Expr::Try(built) = expr
            && let Some(method) = with_body(&text(&built.expr))
        {
            let body: Expr = parse_quote!(::serde_json::to_vec(body));
            *expr = parse_quote!(crate::transport::sends_json(::reqwest::Method::#method, url, #body)?);
        } else if let Expr::Call(call) = expr
            && text(&call.func) == "ResponseValue :: from_response"
        {
            *call.func = parse_quote!(crate::transport::decode);
        } else if let Expr::Path(path) = expr
            && text(path) == "ResponseValue :: stream"
        {
            *expr = parse_quote!(crate::transport::stream);
        } else if let Expr::Path(path) = expr
            && text(path) == "ResponseValue :: empty"
        {
            *expr = parse_quote!(crate::transport::empty);
        } else if let Expr::Path(path) = expr
            && text(path) == "Error :: UnexpectedResponse"
        {
            *expr = parse_quote!(crate::transport::unexpected);
        }
    }
}

/// `GET` of the code that builds a `GET` request with nothing but what it accepts.
fn without_body(code: &str) -> Option<syn::Ident> {
    method(code, " (url)) . build ()")
}

/// `POST` of the code that builds a `POST` request with a body of JSON, and nothing else but what it accepts.
fn with_body(code: &str) -> Option<syn::Ident> {
    method(code, " (url)) . json (& body) . build ()")
}

fn method(code: &str, rest: &str) -> Option<syn::Ident> {
    let method = code.strip_prefix("crate :: transport :: accepts_json (self . client . ")?;
    let method = method.strip_suffix(rest)?.to_uppercase();
    ["GET", "POST", "DELETE"]
        .contains(&&*method)
        .then(|| format_ident!("{method}"))
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
            drop_derive(&mut item.attrs, "Debug")?;
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

pub fn drop_derive(attrs: &mut [Attribute], name: &str) -> Result<(), String> {
    for attr in attrs.iter_mut().filter(|a| a.path().is_ident("derive")) {
        let mut kept = Vec::new();
        attr.parse_nested_meta(|meta| {
            if meta.path.segments.last().is_none_or(|last| last.ident != name) {
                kept.push(meta.path);
            }
            Ok(())
        })
        .map_err(|e| format!("progenitor derives: {e}"))?;
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
mod tests;
