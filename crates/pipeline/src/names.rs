//! Names: which are allowed, and which was meant.

/// Longer names make bad folders.
const LONGEST: usize = 100;

/// Whether a name may be a stage, an axis or a pipeline: they become folder names.
pub(crate) fn is_valid(name: &str) -> bool {
    let mut bytes = name.bytes();
    name.len() <= LONGEST
        && bytes.next().is_some_and(|first| first.is_ascii_alphanumeric())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

/// The candidate that was most likely meant: few edits away, or the same beginning.
pub(crate) fn nearest<'a>(name: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let wanted = name.to_lowercase().replace('-', "_");
    let near = |candidate: &&'a str| {
        let other = candidate.to_lowercase().replace('-', "_");
        let edits = strsim::damerau_levenshtein(&wanted, &other);
        let shorter = wanted.chars().count().min(other.chars().count());
        let begins = shorter >= 3 && (other.starts_with(&wanted) || wanted.starts_with(&other));
        (edits <= (shorter / 3).max(1) && edits < shorter.max(2) || begins)
            .then_some((edits, *candidate))
    };
    candidates.iter().filter_map(near).min().map(|(_, candidate)| candidate)
}

/// Help for an unknown name: the nearest, or all there are.
pub(crate) fn suggestion(name: &str, candidates: &[&str]) -> Option<String> {
    match nearest(name, candidates) {
        Some(candidate) => Some(format!("did you mean `{candidate}`?")),
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
