//! Names: which are allowed, and which was meant.

use unicode_normalization::{UnicodeNormalization, is_nfc, is_nfd};

/// Longer names make bad folders.
const LONGEST: usize = 100;

/// Whether a name may be a stage, an axis or a pipeline: they become folder names.
pub(crate) fn is_valid(name: &str) -> bool {
    let mut bytes = name.bytes();
    name.len() <= LONGEST
        && bytes.next().is_some_and(|first| first.is_ascii_alphanumeric())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

/// The candidate that was most likely meant: few edits away, or the same beginning. Letters count, not
/// how they are composed of characters.
pub(crate) fn nearest<'a>(name: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let plain = |name: &str| -> String {
        if name.is_ascii() {
            name.to_ascii_lowercase().replace('-', "_")
        } else {
            name.nfc().collect::<String>().to_lowercase().replace('-', "_")
        }
    };
    let wanted = plain(name);
    if wanted.len() > LONGEST * 4 {
        return None;
    }
    let near = |candidate: &&'a str| {
        let other = plain(candidate);
        let edits = strsim::damerau_levenshtein(&wanted, &other);
        let shorter = wanted.chars().count().min(other.chars().count());
        let begins = shorter >= 3 && (other.starts_with(&wanted) || wanted.starts_with(&other));
        (edits <= (shorter / 3).max(1) && edits < shorter.max(2) || begins)
            .then_some((edits, *candidate))
    };
    candidates.iter().filter_map(near).min().map(|(_, candidate)| candidate)
}

/// ``did you mean `…`?`` with the nearest candidate, if one is near. Where the two look the same, it
/// says how they differ: by their normal form (Unicode Standard Annex #15).
///
/// ```
/// use scarce_pipeline::did_you_mean;
/// assert_eq!(did_you_mean("piksels", &["images", "pixels"]).as_deref(), Some("did you mean `pixels`?"));
/// assert_eq!(did_you_mean("nothing-like-it", &["images", "pixels"]), None);
/// ```
pub fn did_you_mean(name: &str, candidates: &[&str]) -> Option<String> {
    let candidate = nearest(name, candidates)?;
    if name == candidate || !name.nfc().eq(candidate.nfc()) {
        return Some(format!("did you mean `{candidate}`?"));
    }
    Some(format!(
        "did you mean `{candidate}`? The two look the same, but this name is written in {}, that \
         one in {}: copy it from where it stands",
        normal_form(name),
        normal_form(candidate)
    ))
}

fn normal_form(name: &str) -> &'static str {
    if is_nfc(name) {
        "composed characters (NFC)"
    } else if is_nfd(name) {
        "decomposed characters (NFD)"
    } else {
        "no normal form"
    }
}

/// Help for an unknown name: the nearest, or all there are.
pub(crate) fn suggestion(name: &str, candidates: &[&str]) -> Option<String> {
    match did_you_mean(name, candidates) {
        Some(meant) => Some(meant),
        None if candidates.is_empty() => None,
        None => Some(format!("there are {}", list(candidates))),
    }
}

/// Names in backticks, separated by commas; a very long list is cut.
pub(crate) fn list<S: AsRef<str>>(names: &[S]) -> String {
    const MOST: usize = 24;
    let quoted: Vec<String> =
        names.iter().take(MOST).map(|name| format!("`{}`", name.as_ref())).collect();
    let rest = names.len().saturating_sub(MOST);
    let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    format!("{}{more}", quoted.join(", "))
}
