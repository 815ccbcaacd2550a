//! Puts what the JSON Schema validator finds into the words and places of the TOML file.

use jsonschema::{ValidationError, error::ValidationErrorKind as Kind, paths::LocationSegment};
use serde_json::Value;

use crate::{
    axis::{Axis, axis_text},
    fault::Fault,
    files::Absence,
    names,
    node::{Data, Node, Span, called},
    params::{BadPath, axis_name},
    problems::Problems,
    schema::Schema,
    sketch::{Draft, RESERVED},
    source::cut,
};

/// Characters of a value in a message.
const MOST_VALUE: usize = 60;

/// One variant of a stage's parameters under examination.
pub(crate) struct Check<'a> {
    pub(crate) stage: &'a Draft,
    pub(crate) schema: Schema<'a>,
    /// The axes in the parameters, each with the position of its value in this variant.
    pub(crate) axes: &'a [(&'a Axis, usize)],
}

/// Where a parameter stands.
struct Place {
    /// `early_stopping.patience`, `layers[2]`.
    what: String,
    /// Its value, or what stands for it.
    span: Span,
    /// The axis value that was put in.
    axis: Option<(Span, String)>,
}

impl Check<'_> {
    /// Reports one finding of the validator.
    pub(crate) fn report(&self, error: &ValidationError<'_>, problems: &mut Problems) {
        let place = self.place(error);
        let what = place.what.clone();
        match error.kind() {
            Kind::AdditionalProperties { unexpected }
            | Kind::UnevaluatedProperties { unexpected } => {
                for key in unexpected {
                    self.unknown_key(error, key, problems);
                }
            }
            Kind::Required { property } => {
                let key = property.as_str().unwrap_or_default();
                self.missing(error, key, &place, problems);
            }
            Kind::Type { .. } => {
                let expected = self.expected(error);
                let found = called(error.instance()).to_owned();
                let fault = Fault::WrongType { what, expected, found: found.clone(), help: None };
                put(fault, &place, &found, problems);
            }
            Kind::AnyOf { context }
            | Kind::OneOfNotValid { context }
            | Kind::OneOfMultipleValid { context } => self.branches(error, context, problems),
            kind => {
                let found = cut(error.instance().to_string(), MOST_VALUE);
                let fault = match (choices(kind), limit(kind)) {
                    (Some(options), _) => unknown_choice(what, error.instance(), &options),
                    (_, Some(limit)) => {
                        let limit = self.range(error).unwrap_or(limit);
                        Fault::OutOfRange { what, found, limit }
                    }
                    _ => Fault::InvalidValue { what, message: error.to_string(), help: None },
                };
                put(fault, &place, "", problems);
            }
        }
    }

    fn unknown_key(&self, error: &ValidationError<'_>, key: &str, problems: &mut Problems) {
        let path = segments(error);
        let (span, place) = (self.key_span(&path, key), self.owner(&path));
        let borrowed: Vec<&str> = path.iter().map(String::as_str).collect();
        let mut known = self.schema.keys_at(&borrowed);
        if path.is_empty() {
            known.extend(RESERVED);
        }
        let help = names::suggestion(key, &known);
        problems.add(Fault::UnknownKey { key: key.to_owned(), place, help }, span, "");
    }

    fn missing(
        &self,
        error: &ValidationError<'_>,
        key: &str,
        place: &Place,
        problems: &mut Problems,
    ) {
        let path = segments(error);
        let mut full: Vec<&str> = path.iter().map(String::as_str).collect();
        full.push(key);
        let doc = self.schema.at(&full).into_iter().find_map(|s| s["description"].as_str());
        let help = doc.map(|doc| format!("`{key}`: {}", doc.replace('\n', " ")));
        let fault = Fault::MissingKey { key: key.to_owned(), place: self.owner(&path), help };
        put(fault, place, "", problems);
    }

    /// A value that fits no branch: says what is wrong with the branch that was meant.
    fn branches(
        &self,
        error: &ValidationError<'_>,
        context: &[Vec<ValidationError<'_>>],
        problems: &mut Problems,
    ) {
        let here = error.instance_path().as_str();
        let is_here = |e: &ValidationError<'_>| e.instance_path().as_str() == here;
        let wrong_type = |e: &ValidationError<'_>| is_here(e) && is_of_other_type(e);
        let wrong_tag = |e: &ValidationError<'_>| !is_here(e) && choices(e.kind()).is_some();
        let near: Vec<_> = context.iter().filter(|b| !b.iter().any(wrong_type)).collect();
        let meant: Vec<_> = near.iter().copied().filter(|b| !b.iter().any(wrong_tag)).collect();
        let place = self.place(error);
        let what = place.what.clone();
        let found = called(error.instance()).to_owned();
        if let ([only], _) | (_, [only]) = (near.as_slice(), meant.as_slice()) {
            only.iter().for_each(|error| self.report(error, problems));
        } else if near.is_empty() {
            let expected = self.expected(error);
            let fault = Fault::WrongType { what, expected, found: found.clone(), help: None };
            put(fault, &place, &found, problems);
        } else if let Some(options) =
            all(&near, |e| is_here(e).then(|| choices(e.kind())).flatten())
        {
            put(unknown_choice(what, error.instance(), &options), &place, "", problems);
        } else if let Some(options) =
            all(&near, |e| wrong_tag(e).then(|| choices(e.kind())).flatten())
            && let Some(tag) = near[0].iter().find(|e| wrong_tag(e))
        {
            let place = self.place(tag);
            let fault = unknown_choice(place.what.clone(), tag.instance(), &options);
            put(fault, &place, "", problems);
        } else if near.iter().all(|branch| branch.iter().any(|e| is_here(e) && is_bound(e.kind())))
            && let Some(limit) = self.range(error)
        {
            let found = cut(error.instance().to_string(), MOST_VALUE);
            put(Fault::OutOfRange { what, found, limit }, &place, "", problems);
        } else if let Some(key) = shared_requirement(&near) {
            self.missing(error, &key, &place, problems);
        } else {
            let message = "it has none of the forms that are allowed here".to_owned();
            let help = Some("`scarce stages KIND` shows them".to_owned());
            put(Fault::InvalidValue { what, message, help }, &place, &found, problems);
        }
    }

    /// The whole range of a number, of which a part has been left: `more than 0 and less than 1`; of
    /// several forms the range of each.
    fn range(&self, error: &ValidationError<'_>) -> Option<String> {
        if !error.instance().is_number() {
            return None;
        }
        let path = segments(error);
        let borrowed: Vec<&str> = path.iter().map(String::as_str).collect();
        let schemas = self.schema.at(&borrowed).into_iter();
        let parts = schemas.flat_map(|schema| self.schema.parts(schema, None));
        let is_whole = |schema: &Value| schema["type"] == "integer";
        let mut ranges: Vec<(bool, String)> = parts
            .filter_map(|schema| Some((is_whole(schema), range_words(schema, error.instance())?)))
            .collect();
        ranges.dedup();
        let several = ranges.len() > 1;
        let words = ranges.into_iter().map(|(whole, range)| {
            if several && whole { format!("{range} (an integer)") } else { range }
        });
        let words: Vec<String> = words.collect();
        (!words.is_empty()).then(|| words.join(", or "))
    }

    /// The types that may stand where the error is.
    fn expected(&self, error: &ValidationError<'_>) -> String {
        let path = segments(error);
        let borrowed: Vec<&str> = path.iter().map(String::as_str).collect();
        let schemas = self.schema.at(&borrowed);
        let takes = |kind: &str| schemas.iter().any(|schema| self.schema.accepts(schema, kind));
        let words = [
            ("string", "a string"),
            ("number", "a number"),
            ("integer", "an integer"),
            ("boolean", "`true` or `false`"),
            ("array", "a list"),
            ("object", "a table"),
        ];
        let number = takes("number");
        let words: Vec<&str> = words
            .into_iter()
            .filter(|(kind, _)| takes(kind) && !(*kind == "integer" && number))
            .map(|(_, word)| word)
            .collect();
        if words.is_empty() { "nothing".to_owned() } else { words.join(" or ") }
    }

    /// The table that a path leads to, for messages.
    fn owner(&self, path: &[String]) -> String {
        if path.is_empty() {
            let kind = self.stage.kind.as_ref().map_or("", |(kind, _)| kind);
            return format!("the stage `{}` of kind `{kind}`", self.stage.name);
        }
        format!("`{}` of the stage `{}`", dotted(path), self.stage.name)
    }

    /// Reports a path that cannot be used, which stands at a JSON pointer.
    pub(crate) fn report_path(&self, pointer: &str, wrong: &BadPath, problems: &mut Problems) {
        let unescaped = |key: &str| key.replace("~1", "/").replace("~0", "~");
        let place = self.place_at(&pointer.split('/').skip(1).map(unescaped).collect::<Vec<_>>());
        let what = place.what.clone();
        let unfit = |message: &str| {
            let message = message.to_owned();
            Fault::InvalidValue { what: what.clone(), message, help: None }
        };
        let fault = match wrong {
            BadPath::Empty => unfit("it is empty"),
            BadPath::NotText => unfit("the folder is not UTF-8"),
            BadPath::Absent(path, Absence::Hidden(why)) => {
                unfit(&format!("`{}` cannot be looked at: {why}", path.display()))
            }
            BadPath::Absent(path, Absence::Missing(help)) => Fault::NoSuchPath {
                what: what.clone(),
                stage: self.stage.name.clone(),
                path: path.display().to_string(),
                help: Some(help.clone()),
            },
        };
        put(fault, &place, "a path", problems);
    }

    /// The value at the error's path, or the innermost thing around it that is written.
    fn place(&self, error: &ValidationError<'_>) -> Place {
        self.place_at(&segments(error))
    }

    /// The value at a path of keys and positions, or the innermost thing around it that is written.
    fn place_at(&self, path: &[String]) -> Place {
        let (node, depth) = self.node(path);
        let what = if path.is_empty() { self.stage.name.clone() } else { dotted(path) };
        let Some(node) = node else { return Place { what, span: self.stage.span, axis: None } };
        // An entry of `[stages.X.table]` stands under its header: point at the key instead.
        let is_table = matches!(node.data, Data::Table(_));
        let span = match path[..depth].split_last() {
            Some((key, around)) if is_table => self.key_span(around, key),
            _ => node.span,
        };
        let axis = node.as_str().and_then(axis_name).and_then(|name| {
            let (axis, value) = self.axes.iter().find(|(axis, _)| axis.name == name)?;
            let label = format!("`{name}` is `{}`", axis_text(&axis.values[*value]));
            Some((axis.places[*value], label))
        });
        Place { what, span, axis }
    }

    /// Follows a path through what is written, as far as it goes.
    fn node(&self, path: &[String]) -> (Option<&Node>, usize) {
        let Some(first) = path.first() else { return (None, 0) };
        let Some(entry) = self.stage.params.get(first) else { return (None, 0) };
        let mut node = &entry.node;
        for (depth, key) in path.iter().enumerate().skip(1) {
            let inner = match &node.data {
                Data::Table(table) => table.get(key).map(|entry| &entry.node),
                Data::List(items) => key.parse().ok().and_then(|i: usize| items.get(i)),
                Data::Scalar(_) => None,
            };
            let Some(inner) = inner else { return (Some(node), depth) };
            node = inner;
        }
        (Some(node), path.len())
    }

    /// Where a key of the table at a path stands.
    fn key_span(&self, path: &[String], key: &str) -> Span {
        let table = match self.node(path) {
            (None, _) => Some(&self.stage.params),
            (Some(Node { data: Data::Table(table), .. }), _) => Some(table),
            _ => None,
        };
        table.and_then(|table| table.get(key)).map_or(self.stage.span, |entry| entry.key)
    }
}

fn put(fault: Fault, place: &Place, label: &str, problems: &mut Problems) {
    match &place.axis {
        // A value from the command line is to blame, not the file.
        Some((span, label)) if span.text != place.span.text => problems.add(fault, *span, label),
        axis => problems.add_with(fault, place.span, label, axis.clone()),
    }
}

/// The options of every branch, if every branch has an error that lists some.
fn all<'e>(
    branches: &[&'e Vec<ValidationError<'e>>],
    options: impl Fn(&'e ValidationError<'e>) -> Option<Vec<String>>,
) -> Option<Vec<String>> {
    let listed: Option<Vec<Vec<String>>> =
        branches.iter().map(|branch| branch.iter().find_map(&options)).collect();
    listed.map(|lists| lists.concat())
}

/// The key that every branch misses.
fn shared_requirement(branches: &[&Vec<ValidationError<'_>>]) -> Option<String> {
    let required = |branch: &&Vec<ValidationError<'_>>| -> Vec<String> {
        branch
            .iter()
            .filter_map(|error| match error.kind() {
                Kind::Required { property } => property.as_str().map(str::to_owned),
                _ => None,
            })
            .collect()
    };
    let lists: Vec<Vec<String>> = branches.iter().map(required).collect();
    let (first, rest) = lists.split_first()?;
    first.iter().find(|key| rest.iter().all(|list| list.contains(key))).cloned()
}

/// What may be chosen, when the finding is that something else was.
fn choices(kind: &Kind) -> Option<Vec<String>> {
    match kind {
        Kind::Enum { options } => Some(options.as_array()?.iter().filter_map(plain).collect()),
        Kind::Constant { expected_value } => Some(plain(expected_value).into_iter().collect()),
        _ => None,
    }
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        value => Some(value.to_string()),
    }
}

fn unknown_choice(what: String, found: &Value, options: &[String]) -> Fault {
    let (found, options) =
        (plain(found).unwrap_or_default(), options.iter().map(String::as_str).collect::<Vec<_>>());
    let all = format!("it takes {}", names::list(&options));
    let help = match names::nearest(&found, &options) {
        Some(nearest) => format!("did you mean `{nearest}`? {all}"),
        None => all,
    };
    Fault::UnknownChoice { what, found: format!("`{found}`"), help: Some(help) }
}

/// The bound that a value breaks, in words.
fn limit(kind: &Kind) -> Option<String> {
    Some(match kind {
        Kind::Minimum { limit } => format!("at least {limit}"),
        Kind::ExclusiveMinimum { limit } => format!("more than {limit}"),
        Kind::Maximum { limit } => format!("at most {limit}"),
        Kind::ExclusiveMaximum { limit } => format!("less than {limit}"),
        Kind::MinLength { limit } => format!("at least {limit} characters long"),
        Kind::MaxLength { limit } => format!("at most {limit} characters long"),
        Kind::MinItems { limit } => format!("a list of at least {limit}"),
        Kind::MaxItems { limit } => format!("a list of at most {limit}"),
        Kind::MultipleOf { multiple_of } => format!("a multiple of {multiple_of}"),
        _ => return None,
    })
}

/// Whether a value has none of the types that it may have.
fn is_of_other_type(error: &ValidationError<'_>) -> bool {
    match error.kind() {
        Kind::Type { .. } => true,
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
            context.iter().all(|branch| branch.iter().any(is_of_other_type))
        }
        _ => false,
    }
}

/// Whether a number is too small or too large.
fn is_bound(kind: &Kind) -> bool {
    matches!(
        kind,
        Kind::Minimum { .. }
            | Kind::ExclusiveMinimum { .. }
            | Kind::Maximum { .. }
            | Kind::ExclusiveMaximum { .. }
    )
}

/// The bounds that a schema sets a number, in words. What 32 bits can hold is told only to those who
/// go beyond it.
fn range_words(schema: &Value, found: &Value) -> Option<String> {
    let bound = |key: &str| schema.get(key).filter(|bound| bound.is_number());
    let of_32_bits = |most: &&Value| most.as_u64() == Some(u32::MAX.into());
    let beyond = found.as_f64() > Some(u32::MAX.into());
    let (least, above) = (bound("minimum"), bound("exclusiveMinimum"));
    let most = bound("maximum").filter(|most| beyond || !of_32_bits(most));
    let below = bound("exclusiveMaximum");
    if let (Some(least), None, Some(most), None) = (least, above, most, below) {
        return Some(format!("from {least} to {most}"));
    }
    let lower = above.map(|b| format!("more than {b}")).or(least.map(|b| format!("at least {b}")));
    let upper = below.map(|b| format!("less than {b}")).or(most.map(|b| format!("at most {b}")));
    match (lower, upper) {
        (Some(lower), Some(upper)) => Some(format!("{lower} and {upper}")),
        (lower, upper) => lower.or(upper),
    }
}

fn segments(error: &ValidationError<'_>) -> Vec<String> {
    error
        .instance_path()
        .segments()
        .map(|segment: LocationSegment<'_>| segment.to_string())
        .collect()
}

/// `layers`, `2`, `width` as `layers[2].width`.
fn dotted(path: &[String]) -> String {
    let mut text = String::new();
    for key in path {
        if key.bytes().all(|byte| byte.is_ascii_digit()) {
            text.extend(["[", key, "]"]);
        } else {
            if !text.is_empty() {
                text.push('.');
            }
            text.push_str(key);
        }
    }
    text
}
