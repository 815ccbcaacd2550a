//! What of a source file is executed: its tokens without comments, documentation and tests.

use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::punctuated::Punctuated;
use syn::{Attribute, File, ImplItem, Item, ItemMod, Meta, Token};

/// What a source file says to those who execute it.
pub(crate) struct Code {
    /// Its tokens, one space between any two.
    pub(crate) tokens: String,
    /// Files and folders whose modules are for its tests alone.
    pub(crate) tests: Vec<PathBuf>,
}

/// Reads the source `text` of the file at `path`; `None` if it is not Rust, or not that of today.
pub(crate) fn executed(path: &Path, text: &str) -> Option<Code> {
    let mut file = syn::parse_file(text).ok()?;
    let mut tests = Vec::new();
    if is_test(&file.attrs) {
        file.items.clear();
    }
    without_tests(&mut file, &folder_of_modules(path), path, &mut tests);
    let tokens = without_documentation(file.into_token_stream()).to_string();
    Some(Code { tokens, tests })
}

/// Where the modules lie that a source file declares without a body.
fn folder_of_modules(path: &Path) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default();
    let beside = path.parent().unwrap_or(Path::new(""));
    match stem.to_str() {
        Some("lib" | "main" | "mod" | "build") => beside.to_owned(),
        _ => beside.join(stem),
    }
}

fn without_tests(file: &mut File, folder: &Path, path: &Path, tests: &mut Vec<PathBuf>) {
    strip(&mut file.items, folder, path.parent().unwrap_or(Path::new("")), tests);
}

/// Takes the items that are for tests alone out of `items`, of modules in their midst as well.
fn strip(items: &mut Vec<Item>, folder: &Path, beside: &Path, tests: &mut Vec<PathBuf>) {
    items.retain_mut(|item| {
        if is_test(attributes(item)) {
            if let Item::Mod(module) = item {
                tests.extend(files_of(module, folder, beside));
            }
            return false;
        }
        match item {
            Item::Mod(module) => {
                let inner = folder.join(module.ident.to_string());
                if let Some((_, items)) = &mut module.content {
                    strip(items, &inner, &inner, tests);
                }
            }
            Item::Impl(block) => block.items.retain(|item| !is_test(attributes_within(item))),
            _ => {}
        }
        true
    });
}

/// The file of a module without a body, and the folder of the modules beneath it.
fn files_of(module: &ItemMod, folder: &Path, beside: &Path) -> Vec<PathBuf> {
    if module.content.is_some() {
        return Vec::new();
    }
    let named = module.attrs.iter().find_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("path") => {
            let text = pair.value.to_token_stream().to_string();
            Some(beside.join(text.trim_matches('"')))
        }
        _ => None,
    });
    named.map_or_else(
        || {
            let plain = folder.join(module.ident.to_string());
            vec![plain.with_extension("rs"), plain]
        },
        |path| vec![path],
    )
}

/// Whether what carries these attributes is there for tests alone: `#[cfg(test)]`,
/// `#[cfg(all(test, …))]`.
fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let Meta::List(list) = &attribute.meta else { return false };
        list.path.is_ident("cfg")
            && list.parse_args::<Meta>().is_ok_and(|condition| needs_test(&condition))
    })
}

fn needs_test(condition: &Meta) -> bool {
    match condition {
        Meta::Path(path) => path.is_ident("test"),
        Meta::List(list) if list.path.is_ident("all") => list
            .parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)
            .is_ok_and(|all| all.iter().any(needs_test)),
        _ => false,
    }
}

/// The same tokens without `#[doc …]` and `#![doc …]`, which is what documentation comments are.
fn without_documentation(tokens: TokenStream) -> TokenStream {
    let mut kept: Vec<TokenTree> = Vec::new();
    for token in tokens {
        let TokenTree::Group(group) = token else {
            kept.push(token);
            continue;
        };
        let is_doc = group.delimiter() == proc_macro2::Delimiter::Bracket
            && matches!(group.stream().into_iter().next(), Some(TokenTree::Ident(word)) if word == "doc");
        if is_doc && is_attribute(&kept) {
            while matches!(kept.last(), Some(TokenTree::Punct(mark)) if "#!".contains(mark.as_char()))
            {
                kept.pop();
            }
            continue;
        }
        let inner = without_documentation(group.stream());
        kept.push(TokenTree::Group(proc_macro2::Group::new(group.delimiter(), inner)));
    }
    kept.into_iter().collect()
}

/// Whether the tokens end as an attribute begins.
fn is_attribute(before: &[TokenTree]) -> bool {
    let mark = |token: Option<&TokenTree>, wanted| matches!(token, Some(TokenTree::Punct(mark)) if mark.as_char() == wanted);
    let last = before.last();
    let second = before.len().checked_sub(2).and_then(|at| before.get(at));
    mark(last, '#') || (mark(last, '!') && mark(second, '#'))
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::ExternCrate(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::ForeignMod(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::TraitAlias(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

fn attributes_within(item: &ImplItem) -> &[Attribute] {
    match item {
        ImplItem::Const(item) => &item.attrs,
        ImplItem::Fn(item) => &item.attrs,
        ImplItem::Macro(item) => &item.attrs,
        ImplItem::Type(item) => &item.attrs,
        _ => &[],
    }
}
