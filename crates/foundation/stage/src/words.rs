//! Words for people.

/// A number with its noun in the singular or the plural: `1 cluster`, `2 clusters`, `3 classes`.
///
/// ```
/// use scarce_stage::counted;
/// assert_eq!(counted(1, "cluster"), "1 cluster");
/// assert_eq!(counted(0, "class"), "0 classes");
/// assert_eq!(counted(2, "query"), "2 queries");
/// ```
pub fn counted(count: usize, noun: &str) -> String {
    if count == 1 {
        return format!("1 {noun}");
    }
    let mut letters = noun.chars().rev();
    let (last, before) = (letters.next(), letters.next());
    let hisses = noun.ends_with('s') || noun.ends_with('x') || noun.ends_with("ch");
    match (last, before) {
        (Some('y'), Some(before)) if !"aeiou".contains(before) => {
            format!("{count} {}ies", &noun[..noun.len() - 1])
        }
        _ if hisses => format!("{count} {noun}es"),
        _ => format!("{count} {noun}s"),
    }
}
