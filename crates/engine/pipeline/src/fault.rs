//! What can be wrong with a pipeline, apart from where.

use miette::Diagnostic;
use thiserror::Error;

/// Everything that can be wrong with a pipeline. The place is in [`crate::Problem`].
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the message of each variant says what it means")]
pub enum Fault {
    #[error("cannot read the pipeline: {message}")]
    #[diagnostic(
        code(pipeline::io),
        help("check that the file is there, that you may read it and that it is UTF-8")
    )]
    Io { message: String },

    #[error("`{path}` is larger than a pipeline can be: {limit} MiB")]
    #[diagnostic(
        code(pipeline::too_large),
        help("put long lists into files of their own: `ids_path` takes one id a line")
    )]
    TooLarge { path: String, limit: u64 },

    #[error("the path of the pipeline is not UTF-8: `{path}`")]
    #[diagnostic(
        code(pipeline::name_not_text),
        help("rename the file, or the folder that it lies in: the records of its runs are text")
    )]
    NameNotText { path: String },

    #[error("this is not TOML: {message}")]
    #[diagnostic(code(pipeline::syntax))]
    Syntax { message: String },

    #[error("{message}")]
    #[diagnostic(code(pipeline::bad_override))]
    Override {
        message: String,
        #[help]
        help: Option<String>,
    },

    #[error("unknown key `{key}` in {place}")]
    #[diagnostic(code(pipeline::unknown_key))]
    UnknownKey {
        key: String,
        place: String,
        #[help]
        help: Option<String>,
    },

    #[error("{what} cannot be named `{name}`")]
    #[diagnostic(
        code(pipeline::bad_name),
        help(
            "names become folders: ASCII letters, digits, `_` and `-`, beginning with a letter or digit, at most 100 of them"
        )
    )]
    BadName { what: &'static str, name: String },

    #[error("`{what}` takes {expected}, not {found}")]
    #[diagnostic(code(pipeline::wrong_type))]
    WrongType {
        what: String,
        expected: String,
        found: String,
        #[help]
        help: Option<String>,
    },

    #[error("{place} lacks `{key}`")]
    #[diagnostic(code(pipeline::missing_key))]
    MissingKey {
        key: String,
        place: String,
        #[help]
        help: Option<String>,
    },

    #[error("`{what}` cannot be {found}")]
    #[diagnostic(code(pipeline::unknown_choice))]
    UnknownChoice {
        what: String,
        found: String,
        #[help]
        help: Option<String>,
    },

    #[error("`{what}` is {found}; it must be {limit}")]
    #[diagnostic(code(pipeline::out_of_range))]
    OutOfRange { what: String, found: String, limit: String },

    #[error("`{what}` does not fit: {message}")]
    #[diagnostic(code(pipeline::invalid_value))]
    InvalidValue {
        what: String,
        message: String,
        #[help]
        help: Option<String>,
    },

    #[error("`{what}` of the stage `{stage}` names `{path}`, which does not exist")]
    #[diagnostic(code(pipeline::no_such_path))]
    NoSuchPath {
        what: String,
        stage: String,
        path: String,
        #[help]
        help: Option<String>,
    },

    #[error("there is no stage in this pipeline")]
    #[diagnostic(
        code(pipeline::no_stages),
        help("a stage is a table: `[stages.images]` with at least a `kind`")
    )]
    NoStages,

    #[error("there is no kind `{name}`")]
    #[diagnostic(code(pipeline::unknown_kind))]
    UnknownKind {
        name: String,
        #[help]
        help: Option<String>,
    },

    #[error("there is no stage `{name}`")]
    #[diagnostic(code(pipeline::unknown_stage))]
    UnknownStage {
        name: String,
        #[help]
        help: Option<String>,
    },

    #[error("there is no axis `{name}`")]
    #[diagnostic(code(pipeline::unknown_axis))]
    UnknownAxis {
        name: String,
        #[help]
        help: Option<String>,
    },

    #[error("{owner} has no {side} `{port}`")]
    #[diagnostic(code(pipeline::unknown_port))]
    UnknownPort {
        owner: String,
        side: &'static str,
        port: String,
        #[help]
        help: Option<String>,
    },

    #[error("the axis `{axis}` has no values")]
    #[diagnostic(code(pipeline::empty_axis))]
    EmptyAxis {
        axis: String,
        #[help]
        help: Option<String>,
    },

    #[error("the axis `{axis}` has `{value}` twice")]
    #[diagnostic(
        code(pipeline::duplicate_value),
        help("every value is a folder of its own: leave one of them out")
    )]
    DuplicateValue { axis: String, value: String },

    #[error("the input `{port}` of `{stage}` is not wired")]
    #[diagnostic(code(pipeline::missing_input))]
    MissingInput {
        port: String,
        stage: String,
        #[help]
        help: Option<String>,
    },

    #[error("the input `{port}` of `{stage}` takes a single `{artifact}`, not {found}")]
    #[diagnostic(code(pipeline::takes_one), help("wire one stage to it"))]
    TakesOne { port: String, stage: String, artifact: String, found: usize },

    #[error("`{wire}` is wired to the input `{port}` of `{stage}` twice")]
    #[diagnostic(code(pipeline::wired_twice), help("leave one of them out"))]
    WiredTwice { wire: String, port: String, stage: String },

    #[error("input `{port}` of `{stage}` takes {takes}; `{from}` gives {gives}")]
    #[diagnostic(code(pipeline::mismatch))]
    Mismatch {
        port: String,
        stage: String,
        takes: String,
        from: String,
        gives: String,
        #[help]
        help: Option<String>,
    },

    #[error("`{from}` has more than one output of {artifact} for the input `{port}` of `{stage}`")]
    #[diagnostic(code(pipeline::ambiguous))]
    Ambiguous {
        from: String,
        artifact: String,
        port: String,
        stage: String,
        #[help]
        help: Option<String>,
    },

    #[error("the stages go in a circle: {path}")]
    #[diagnostic(
        code(pipeline::cycle),
        help("cut one of these wires: a stage cannot need what comes after it")
    )]
    Cycle { path: String },

    #[error("`{stage}` collects the axis `{axis}` and uses it")]
    #[diagnostic(
        code(pipeline::collects_own),
        help(
            "a collecting stage is one for all values of the axis: leave the axis out of its parameters or out of `collect`"
        )
    )]
    CollectsOwn { stage: String, axis: String },

    #[error(
        "`{stage}` collects `{axis}`, but its input `{port}` takes a single `{artifact}` and `{from}` varies over `{axis}`"
    )]
    #[diagnostic(code(pipeline::collects_into_one))]
    CollectsIntoOne {
        stage: String,
        axis: String,
        port: String,
        artifact: String,
        from: String,
        #[help]
        help: Option<String>,
    },

    #[error("an axis cannot be named `{axis}` where there are rounds")]
    #[diagnostic(
        code(pipeline::reserved_axis),
        help(
            "`[rounds]` makes an axis of that name, with a value for each round: rename this one"
        )
    )]
    ReservedAxis { axis: String },

    #[error("there are no rounds `{name}`")]
    #[diagnostic(code(pipeline::unknown_rounds))]
    UnknownRounds {
        name: String,
        #[help]
        help: Option<String>,
    },

    #[error("the rounds `{group}` have no stage")]
    #[diagnostic(
        code(pipeline::empty_rounds),
        help("list the stages in the order in which a round runs them")
    )]
    EmptyRounds { group: String },

    #[error("the rounds `{group}` list `{stage}` twice")]
    #[diagnostic(
        code(pipeline::listed_twice),
        help("a round runs each stage once: leave one of them out")
    )]
    ListedTwice { stage: String, group: String },

    #[error("`{stage}` is in the rounds `{group}` and in the rounds `{other}`")]
    #[diagnostic(
        code(pipeline::in_two_groups),
        help("a stage belongs to one group: write a stage of its own for each")
    )]
    InTwoGroups { stage: String, group: String, other: String },

    #[error("in the first round nothing is wired to the input `{port}` of `{stage}`")]
    #[diagnostic(code(pipeline::first_round))]
    FirstRound {
        port: String,
        stage: String,
        #[help]
        help: Option<String>,
    },

    #[error("`{stage}` reads rounds of different counts: {counts}")]
    #[diagnostic(
        code(pipeline::rounds_differ),
        help("give the groups the same `count`, or collect `round`")
    )]
    RoundsDiffer { stage: String, counts: String },

    #[error(
        "`{stage}` collects all rounds of `{group}` and leads back to `{member}`, which is one of its stages"
    )]
    #[diagnostic(
        code(pipeline::collects_ahead),
        help("a round cannot need the rounds after it: read `{stage}` outside of `{group}` only")
    )]
    CollectsAhead { stage: String, group: String, member: String },

    #[error("too many {what}: {arithmetic}, more than {limit}")]
    #[diagnostic(
        code(pipeline::too_many),
        help(
            "give the axes fewer values, or let fewer stages use them; `--axis NAME=A,B` runs a part"
        )
    )]
    TooMany { what: &'static str, arithmetic: String, limit: String },

    #[error("no report shows a stage that learns from labels and vectors")]
    #[diagnostic(
        code(pipeline::no_baselines),
        help(
            "`baselines = true` puts logistic regression and the nearest neighbour beside stages with `features` (or a \
             graph of them) and `labels` that a `report` is wired to; without such stages leave it out"
        )
    )]
    NoBaselines,

    #[error("the kind `{kind}` describes its parameters wrongly: {message}")]
    #[diagnostic(
        code(pipeline::bad_schema),
        help("this is a fault of the host program that provides the kind")
    )]
    BadSchema { kind: String, message: String },

    #[error("the pipeline could not be resolved, and no problem was found")]
    #[diagnostic(
        code(pipeline::incomplete),
        help("this is a fault of this program; please report it")
    )]
    Incomplete,

    #[error("no stage uses the axis `{axis}`")]
    #[diagnostic(code(pipeline::unused_axis), severity(Warning))]
    UnusedAxis {
        axis: String,
        #[help]
        help: Option<String>,
    },

    #[error("every round of `{group}` is the same")]
    #[diagnostic(
        code(pipeline::idle_rounds),
        severity(Warning),
        help(
            "wire one of its stages to itself or to a later one, which means what the round before left"
        )
    )]
    IdleRounds { group: String },

    #[error("`{stage}` collects `{axis}`, but nothing wired to it varies over `{axis}`")]
    #[diagnostic(
        code(pipeline::collects_nothing),
        severity(Warning),
        help("leave it out of `collect`")
    )]
    CollectsNothing { stage: String, axis: String },
}
