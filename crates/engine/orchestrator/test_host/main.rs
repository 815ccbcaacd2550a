//! A host for tests: kinds that are quick, and that misbehave when asked to.

use std::{process::ExitCode, thread, time::Duration};

use scarce_artifact::{Classes, Empty, History, Truth, digest_bytes};
use scarce_stage::{Context, Description, Failure, Kind, Memo, Needs, Port, Stage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

fn main() -> ExitCode {
    let code = "test host 1";
    let kinds = [
        Kind::of::<Source>(code),
        Kind::of::<Halve>(code),
        Kind::of::<Gather>(code),
        Kind::of::<Fixed>(code),
        Kind::of::<Tell>(code),
        Kind::of::<Moved>(code),
        Kind::of::<Recall>(code),
        Kind::of::<Drift>(code),
    ];
    scarce_stage::host::main(&kinds)
}

/// How a stage ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Mood {
    /// As it should.
    Well,
    /// With a failure.
    Fail,
    /// With a panic.
    Panic,
    /// By the kernel's hand.
    Killed,
    /// With code 0 and not a word.
    Silent,
    /// Never.
    Hang,
    /// Without its output.
    Nothing,
    /// With another table than promised.
    Wrong,
    /// With noise on both streams first.
    Noisy,
    /// After taking a quarter of a gigabyte of memory.
    Hungry,
    /// With more words than anybody reads.
    Wordy,
    /// Leaving somebody behind who goes on talking on its standard output.
    Haunted,
}

fn write(context: &Context, label: i32) -> Result<(), Failure> {
    let truth = Truth { id: vec![0], label: vec![label] };
    context.write("truth", Classes::new((0..=label.max(99)).map(|i| i.to_string())), truth)
}

fn label(context: &Context) -> Result<i32, Failure> {
    Ok(context.input::<Truth>("truth")?.read()?.label.first().copied().unwrap_or(0))
}

/// Makes a table of one row.
struct Source;

/// Parameters of `source`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct SourceParams {
    /// The label of the row.
    value: i32,
    /// How it ends.
    mood: Mood,
    /// How long it takes.
    milliseconds: u64,
    /// A file whose length is added.
    #[schemars(extend("format" = "path"))]
    file: Option<String>,
}

impl Default for SourceParams {
    fn default() -> Self {
        Self { value: 0, mood: Mood::Well, milliseconds: 0, file: None }
    }
}

impl Stage for Source {
    type Params = SourceParams;

    fn describe() -> Description {
        Description::new("source", "One row").output(Port::table::<Truth>("truth", "The row"))
    }

    fn run(params: SourceParams, context: &Context) -> Result<(), Failure> {
        context.progress(1, 2, "steps", "half way");
        thread::sleep(Duration::from_millis(params.milliseconds));
        let length = match &params.file {
            Some(file) => fs_err::read(file).map_err(scarce_artifact::Error::from)?.len(),
            None => 0,
        };
        match params.mood {
            Mood::Well => {}
            Mood::Fail => {
                return Err(Failure::new("test_host::fail", "as asked").help("do not ask"));
            }
            Mood::Panic => {
                assert_ne!(params.mood, Mood::Panic, "these are my last words");
            }
            Mood::Killed => {
                let me = rustix::process::getpid();
                let _ = rustix::process::kill_process(me, rustix::process::Signal::KILL);
            }
            Mood::Silent => std::process::exit(0),
            Mood::Hang => loop {
                thread::sleep(Duration::from_mins(1));
            },
            Mood::Nothing => return Ok(()),
            Mood::Wrong => {
                let path = context.output("truth")?.with_extension("parquet");
                scarce_artifact::Writer::<History>::write_all(&path, Empty {}, History::default())?;
                return Ok(());
            }
            Mood::Hungry => {
                let memory = vec![1u8; 256 << 20];
                assert_eq!(memory.iter().map(|&byte| u64::from(byte)).sum::<u64>(), 256 << 20);
            }
            Mood::Wordy => {
                let message = format!("at first{}and at last", " word \"word\" \\".repeat(200_000));
                return Err(Failure::new("test_host::wordy", message).help("say less"));
            }
            Mood::Haunted => {
                // In a session of its own, so that the end of the stage's group is not its end.
                let talk = "while echo still here; do sleep 0.05; done";
                let _ = std::process::Command::new("setsid").args(["sh", "-c", talk]).spawn();
                thread::sleep(Duration::from_millis(200));
            }
            Mood::Noisy => {
                use std::io::Write;
                let _ = writeln!(std::io::stdout(), "a library greets you");
                let _ = writeln!(std::io::stderr(), "and complains");
                tracing::warn!("something is odd");
            }
        }
        write(context, params.value + length as i32)
    }
}

/// Halves a label, rounding down: two inputs, one output.
struct Halve;

/// Parameters of `halve`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct HalveParams {
    /// Added afterwards.
    plus: i32,
}

impl Stage for Halve {
    type Params = HalveParams;

    fn describe() -> Description {
        Description::new("halve", "Half of it")
            .input(Port::table::<Truth>("truth", "The row"))
            .output(Port::table::<Truth>("truth", "The half"))
    }

    fn run(params: HalveParams, context: &Context) -> Result<(), Failure> {
        write(context, label(context)? / 2 + params.plus)
    }
}

/// Adds labels up.
struct Gather;

/// Parameters of `gather`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct GatherParams {}

impl Stage for Gather {
    type Params = GatherParams;

    fn describe() -> Description {
        Description::new("gather", "The sum")
            .input(Port::table::<Truth>("all", "The rows").many())
            .output(Port::table::<Truth>("truth", "The sum"))
            .output(Port::table::<History>("history", "Never written").optional())
    }

    fn run(_: GatherParams, context: &Context) -> Result<(), Failure> {
        let mut sum = 0;
        for input in context.inputs::<Truth>("all")? {
            sum += input.table.read()?.label.iter().sum::<i32>();
        }
        write(context, sum)
    }
}

/// Writes down how many threads it was given.
struct Fixed;

/// Parameters of `fixed`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct FixedParams {
    /// Tells variants apart.
    seed: u64,
}

impl Stage for Fixed {
    type Params = FixedParams;

    fn describe() -> Description {
        Description::new("fixed", "Its threads")
            .output(Port::table::<Truth>("truth", "The number of threads"))
            .needs(Needs { fixed_threads: true, ..Needs::default() })
    }

    fn run(_: FixedParams, context: &Context) -> Result<(), Failure> {
        let said = std::env::var("OMP_NUM_THREADS").unwrap_or_default();
        assert_eq!(said, context.threads().to_string());
        write(context, context.threads() as i32)
    }
}

/// Counts what it is told of the tasks above it, and writes it down beside its output.
struct Tell;

impl Stage for Tell {
    type Params = GatherParams;

    fn describe() -> Description {
        Description::new("tell", "How many tasks are above")
            .input(Port::table::<Truth>("truth", "Any row"))
            .output(Port::table::<Truth>("truth", "The number of tasks"))
            .with_lineage()
    }

    fn run(_: GatherParams, context: &Context) -> Result<(), Failure> {
        let lineage = context.lineage();
        let text = serde_json::to_string(lineage).unwrap_or_default();
        context.send(&scarce_stage::Event::Log { level: scarce_stage::Level::Info, message: text });
        write(context, lineage.len() as i32)
    }
}

/// A stage whose machine may have changed since it was described: the device is what the file
/// `PROGRAM.device` says.
struct Moved;

fn device() -> String {
    let file = std::env::current_exe().map(|program| program.with_extension("device"));
    file.and_then(fs_err::read_to_string).unwrap_or_default()
}

impl Stage for Moved {
    type Params = GatherParams;

    fn describe() -> Description {
        Description::new("moved", "The device")
            .output(Port::table::<Truth>("truth", "The length of its name"))
            .environment("device", device())
    }

    fn run(_: GatherParams, context: &Context) -> Result<(), Failure> {
        write(context, device().len() as i32)
    }
}

/// Squares numbers one by one, remembering each.
struct Recall;

/// Parameters of `recall`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct RecallParams {
    /// What the squares are multiplied by.
    scale: i32,
    /// A file as long as there are numbers.
    #[schemars(extend("format" = "path"))]
    file: Option<String>,
}

impl Stage for Recall {
    type Params = RecallParams;

    fn describe() -> Description {
        Description::new("recall", "The sum of squares")
            .output(Port::table::<Truth>("truth", "The sum"))
            .with_memo()
    }

    fn run(params: RecallParams, context: &Context) -> Result<(), Failure> {
        let file = fs_err::read(params.file.unwrap_or_default());
        let count = file.map_err(scarce_artifact::Error::from)?.len() as i32;
        let memo = Memo::open(context.memo());
        let (mut sum, mut found) = (0, 0);
        for number in 0..count {
            let name = digest_bytes(&number.to_le_bytes());
            let known =
                memo.get(&name).and_then(|bytes| Some(i32::from_le_bytes(bytes.try_into().ok()?)));
            found += i32::from(known.is_some());
            let square = known.unwrap_or_else(|| {
                let square = number * number * params.scale;
                memo.put(&name, &square.to_le_bytes());
                square
            });
            sum += square;
        }
        let message = format!("{found} of {count} known");
        context.send(&scarce_stage::Event::Log { level: scarce_stage::Level::Info, message });
        write(context, sum)
    }
}

/// Writes down how long a file is that is no part of its key: a stage that does not always compute
/// the same.
struct Drift;

/// Parameters of `drift`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct DriftParams {
    /// The file.
    file: String,
}

impl Stage for Drift {
    type Params = DriftParams;

    fn describe() -> Description {
        Description::new("drift", "A length").output(Port::table::<Truth>("truth", "The length"))
    }

    fn run(params: DriftParams, context: &Context) -> Result<(), Failure> {
        let file = fs_err::read(params.file).map_err(scarce_artifact::Error::from)?;
        write(context, file.len() as i32)
    }
}
