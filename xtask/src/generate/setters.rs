//! `new(required…)` and one setter per optional field for each request type, so that a new field of the contract
//! needs no hand-written line.
//!
//! A setter takes what people have: `impl Into<String>`, a `Duration` for a Go duration, an iterator for a list,
//! a `serde_json::Value` for a string that holds JSON. Booleans stay parameters, as in `std::fs::OpenOptions`,
//! because they mostly come from somebody's configuration.

use std::collections::BTreeSet;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use serde_json::Value;
use syn::{Field, File, Item, ItemStruct};

use crate::contract;

/// The inherent impls of all request types.
pub fn items(file: &File, contract: &Value, requests: &BTreeSet<String>) -> Result<Vec<Item>, String> {
    let types = file.items.iter().find_map(|item| match item {
        Item::Mod(module) if module.ident == "types" => module.content.as_ref().map(|c| &c.1),
        _ => None,
    });
    types
        .into_iter()
        .flatten()
        .filter_map(|item| match item {
            Item::Struct(item) if requests.contains(&item.ident.to_string()) => Some(item),
            _ => None,
        })
        .map(|item| builder(item, contract::schema(contract, &item.ident.to_string())))
        .collect()
}

fn builder(item: &ItemStruct, schema: &Value) -> Result<Item, String> {
    let required = contract::strings(&schema["required"]);
    let name = &item.ident;
    let mut arguments = Vec::new();
    for wanted in &required {
        let field = item.fields.iter().find(|f| wire_name(f) == *wanted);
        arguments
            .push(field.ok_or_else(|| format!("openapi.yaml: {name} requires `{wanted}`, which it does not have"))?);
    }
    let optional: Vec<&Field> = item
        .fields
        .iter()
        .filter(|f| !required.contains(&wire_name(f).as_str()))
        .collect();

    let new = if arguments.is_empty() {
        let doc = " Nothing set: the server's defaults apply.";
        quote!(#[doc = #doc] pub fn new() -> Self { Self::default() })
    } else {
        let parameters = arguments.iter().map(|f| {
            let ident = &f.ident;
            quote!(#ident: impl ::std::convert::Into<::std::string::String>)
        });
        let set = arguments.iter().map(|f| {
            let ident = &f.ident;
            quote!(#ident: #ident.into())
        });
        let unset = optional.iter().map(|f| {
            let ident = &f.ident;
            quote!(#ident: ::std::default::Default::default())
        });
        quote! {
            /// With what is required; the server's defaults apply to the rest.
            pub fn new(#(#parameters),*) -> Self { Self { #(#set,)* #(#unset,)* } }
        }
    };
    let setters = optional
        .iter()
        .map(|field| setter(field, &schema["properties"][wire_name(field)]));
    Ok(syn::parse_quote!(impl #name { #new #(#setters)* }))
}

fn setter(field: &Field, property: &Value) -> TokenStream {
    let ident = &field.ident;
    let docs = field.attrs.iter().filter(|a| a.path().is_ident("doc"));
    let (parameter, value) = conversion(field, property);
    quote! {
        #(#docs)*
        #[must_use]
        pub fn #ident(mut self, #ident: #parameter) -> Self {
            self.#ident = #value;
            self
        }
    }
}

/// The parameter's type, and the expression that makes the field's value from it.
fn conversion(field: &Field, property: &Value) -> (TokenStream, TokenStream) {
    let ident = &field.ident;
    if property["format"] == "go-duration" {
        return (
            quote!(::std::time::Duration),
            quote!(Some(crate::extensions::go_duration(#ident))),
        );
    }
    if property["x-json"] == true {
        return (quote!(::serde_json::Value), quote!(Some(#ident.to_string())));
    }
    let into_string = quote!(impl ::std::convert::Into<::std::string::String>);
    match argument_of(&field.ty, "Option") {
        Some(inner) if is(inner, "String") => (into_string, quote!(Some(#ident.into()))),
        Some(inner) if is(inner, "bool") || is(inner, "i32") || is(inner, "i64") || is(inner, "f64") => {
            (inner.to_token_stream(), quote!(Some(#ident)))
        }
        Some(inner) => (quote!(impl ::std::convert::Into<#inner>), quote!(Some(#ident.into()))),
        None if argument_of(&field.ty, "Vec").is_some_and(|t| is(t, "String")) => (
            quote!(impl ::std::iter::IntoIterator<Item = #into_string>),
            quote!(#ident.into_iter().map(::std::convert::Into::into).collect()),
        ),
        None if argument_of(&field.ty, "Vec").is_some() => {
            let inner = argument_of(&field.ty, "Vec");
            (
                quote!(impl ::std::iter::IntoIterator<Item = impl ::std::convert::Into<#inner>>),
                quote!(#ident.into_iter().map(::std::convert::Into::into).collect()),
            )
        }
        None if argument_of(&field.ty, "BTreeMap").is_some() => (
            quote!(impl ::std::iter::IntoIterator<Item = (#into_string, #into_string)>),
            quote!(#ident.into_iter().map(|(k, v)| (k.into(), v.into())).collect()),
        ),
        None if argument_of(&field.ty, "Map").is_some() => (
            quote!(impl ::std::iter::IntoIterator<Item = (#into_string, ::serde_json::Value)>),
            quote!(#ident.into_iter().map(|(k, v)| (k.into(), v)).collect()),
        ),
        None => (field.ty.to_token_stream(), quote!(#ident)),
    }
}

/// `T` of `wrapper<T, …>`.
pub fn argument_of<'a>(ty: &'a syn::Type, wrapper: &str) -> Option<&'a syn::Type> {
    let syn::Type::Path(path) = ty else { return None };
    let last = path.path.segments.last().filter(|s| s.ident == wrapper)?;
    let syn::PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return None;
    };
    match arguments.args.first()? {
        syn::GenericArgument::Type(inner) => Some(inner),
        _ => None,
    }
}

fn is(ty: &syn::Type, name: &str) -> bool {
    matches!(ty, syn::Type::Path(p) if p.path.segments.last().is_some_and(|s| s.ident == name))
}

/// The field's name on the wire: what `serde(rename)` says, else its own.
pub fn wire_name(field: &Field) -> String {
    let mut name = field.ident.as_ref().map(ToString::to_string).unwrap_or_default();
    for attr in field.attrs.iter().filter(|a| a.path().is_ident("serde")) {
        // Other keys of the attribute are of no interest here, nor is what they say.
        let _ = attr.parse_nested_meta(|meta| {
            if let Ok(value) = meta.value() {
                let text: syn::LitStr = value.parse()?;
                if meta.path.is_ident("rename") {
                    name = text.value();
                }
            }
            Ok(())
        });
    }
    name
}

#[cfg(test)]
mod tests {
    use crate::contract;
    use crate::generate::{generate, tests::SAMPLE};

    fn sample() -> String {
        generate(&contract::parse(SAMPLE).unwrap()).unwrap()
    }

    /// The code without what only its formatting put there.
    fn dense(code: &str) -> String {
        code.split_whitespace().collect::<String>().replace(",)", ")")
    }

    #[track_caller]
    fn has(code: &str) {
        let sample = sample();
        assert!(dense(&sample).contains(&dense(code)), "{code}\nis not in\n{sample}");
    }

    #[test]
    fn what_is_required_is_an_argument_of_new() {
        has("pub fn new(prompt: impl ::std::convert::Into<::std::string::String>) -> Self");
        has("pub fn new() -> Self { Self::default() }");
    }

    #[test]
    fn setters_take_what_people_have() {
        has("pub fn timeout(mut self, timeout: ::std::time::Duration) -> Self");
        has("pub fn json_schema(mut self, json_schema: ::serde_json::Value) -> Self");
        has("pub fn claude(mut self, claude: impl ::std::convert::Into<ClaudeOptions>) -> Self");
        has("pub fn ttl(mut self, ttl: impl ::std::convert::Into<crate::types::Ttl>) -> Self");
        has("pub fn continue_(mut self, continue_: bool) -> Self");
        has("pub fn max_turns(mut self, max_turns: i32) -> Self");
    }

    #[test]
    fn responses_have_no_constructor() {
        assert!(!sample().contains("impl Job {"));
    }
}
