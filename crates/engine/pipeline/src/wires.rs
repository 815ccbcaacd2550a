//! Which output feeds which input.

use std::collections::{HashMap, HashSet};

use scarce_stage::{Description, Port};

use crate::{
    fault::Fault,
    names,
    node::Span,
    problems::Problems,
    sketch::{Draft, Sketch, Wired},
};

/// The wires of a pipeline, stage by stage.
pub(crate) struct Wiring<'a> {
    /// For each stage its wired ports, in the order of the TOML.
    pub(crate) inputs: Vec<Vec<Plug<'a>>>,
    /// For each stage those that must come before it, whether or not the ports fit.
    pub(crate) needs: Vec<Vec<Need>>,
}

/// A stage that must come before another.
#[derive(Clone, Copy)]
pub(crate) struct Need {
    pub(crate) stage: usize,
    pub(crate) span: Span,
    pub(crate) why: Why,
}

/// Why a stage must come before another.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// It is wired to it.
    Wire,
    /// It comes earlier in their round.
    Turn,
}

/// An input port and what feeds it.
pub(crate) struct Plug<'a> {
    pub(crate) port: &'a Port,
    pub(crate) feeds: Vec<Feed<'a>>,
}

/// One end of a wire.
pub(crate) struct Feed<'a> {
    /// The stage that writes, by number.
    pub(crate) stage: usize,
    /// Its output.
    pub(crate) output: &'a Port,
    /// Whether the round before is meant.
    pub(crate) back: bool,
    pub(crate) span: Span,
}

impl Wiring<'_> {
    /// Whether anything reads what the round before left.
    pub(crate) fn looks_back(&self) -> bool {
        self.inputs.iter().flatten().flat_map(|plug| &plug.feeds).any(|feed| feed.back)
    }
}

/// Joins the stages; what does not fit is reported and left out.
pub(crate) fn connect<'a>(
    sketch: &Sketch,
    kinds: &[Option<&'a Description>],
    problems: &mut Problems,
) -> Wiring<'a> {
    let numbers: HashMap<&str, usize> =
        sketch.stages.iter().enumerate().map(|(i, stage)| (stage.name.as_str(), i)).collect();
    let mut joiner = Joiner { sketch, kinds, numbers, problems };
    let mut wiring = Wiring { inputs: Vec::new(), needs: Vec::new() };
    for (i, stage) in sketch.stages.iter().enumerate() {
        wiring.needs.push(joiner.needs(i, stage));
        wiring.inputs.push(kinds[i].map(|kind| joiner.plugs(i, stage, kind)).unwrap_or_default());
    }
    wiring
}

struct Joiner<'s, 'a, 'p> {
    sketch: &'s Sketch,
    kinds: &'s [Option<&'a Description>],
    numbers: HashMap<&'s str, usize>,
    problems: &'p mut Problems,
}

impl<'a> Joiner<'_, 'a, '_> {
    /// The stages that a stage's wires name, but for those of the round before; and the stage that
    /// a round runs before it.
    fn needs(&mut self, reader: usize, stage: &Draft) -> Vec<Need> {
        let mut needs = Vec::new();
        for (wire, span) in stage.inputs.iter().flat_map(|wired| &wired.wires) {
            let (name, _) = split(wire);
            if let Some(&number) = self.numbers.get(name) {
                if !self.sketch.rounds.is_back(reader, number) {
                    needs.push(Need { stage: number, span: *span, why: Why::Wire });
                }
                continue;
            }
            let stages = || self.sketch.stages.iter().map(|stage| stage.name.as_str());
            let enough = self.problems.are_enough();
            let help = (!enough).then(|| names::suggestion(name, &stages().collect::<Vec<_>>()));
            let help = help.flatten();
            self.problems.add(Fault::UnknownStage { name: name.to_owned(), help }, *span, "");
        }
        let turn = self.sketch.rounds.before(reader);
        needs.extend(turn.map(|(stage, span)| Need { stage, span, why: Why::Turn }));
        needs
    }

    fn plugs(&mut self, reader: usize, stage: &Draft, kind: &'a Description) -> Vec<Plug<'a>> {
        let mut plugs = Vec::with_capacity(stage.inputs.len());
        for wired in &stage.inputs {
            let Some(port) = kind.inputs.iter().find(|port| port.name == wired.port) else {
                self.unknown_input(stage, kind, wired);
                continue;
            };
            let feeds = self.feeds(reader, port, wired);
            self.refuse_empty_first_round(stage, port, &feeds);
            if feeds.len() > 1 && !port.many {
                let fault = Fault::TakesOne {
                    port: port.name.clone(),
                    stage: stage.name.clone(),
                    artifact: port.artifact.clone(),
                    found: feeds.len(),
                };
                self.problems.add(fault, feeds[1].span, "one too many");
            }
            plugs.push(Plug { port, feeds });
        }
        for port in kind.inputs.iter().filter(|port| !port.optional) {
            let wired = stage.inputs.iter().find(|wired| wired.port == port.name);
            if wired.is_none_or(|wired| wired.wires.is_empty()) {
                let span = wired.map_or(stage.span, |wired| wired.span);
                self.missing_input(stage, port, span);
            }
        }
        plugs
    }

    /// The first round has no round before it.
    fn refuse_empty_first_round(&mut self, stage: &Draft, port: &Port, feeds: &[Feed<'a>]) {
        let Some(first) = feeds.first().filter(|_| !port.optional) else { return };
        if !feeds.iter().all(|feed| feed.back) {
            return;
        }
        let from = &self.sketch.stages[first.stage].name;
        let (why, cure) = if *from == stage.name {
            (format!("`{from}` itself means what the round before left"), String::new())
        } else {
            let why =
                format!("`{from}` comes later in a round, so this is what the round before left");
            (why, format!("list `{from}` before `{}`, or ", stage.name))
        };
        let givers = self.givers(&stage.name, &port.artifact).unwrap_or_default();
        let more = match givers.iter().find(|name| *name != from) {
            Some(giver) if port.many => {
                format!(
                    "wire what the first round begins with as well: `[\"{giver}\", \"{from}\"]`"
                )
            }
            _ => "wire a stage that is not of these rounds".to_owned(),
        };
        let (port, name) = (port.name.clone(), stage.name.clone());
        let fault =
            Fault::FirstRound { port, stage: name, help: Some(format!("{why}; {cure}{more}")) };
        let listed = self.sketch.rounds.listed_at(first.stage);
        let listed = listed.map(|span| (span, format!("`{from}` comes here in a round")));
        self.problems.add_with(fault, first.span, "of the round before", listed);
    }

    fn feeds(&mut self, reader: usize, port: &Port, wired: &Wired) -> Vec<Feed<'a>> {
        let stage = &self.sketch.stages[reader];
        let mut seen = HashSet::new();
        let mut feeds = Vec::with_capacity(wired.wires.len());
        for (wire, span) in &wired.wires {
            let (name, output) = split(wire);
            let Some(&number) = self.numbers.get(name) else { continue };
            let Some(kind) = self.kinds[number] else { continue };
            let output = match output {
                Some(output) => self.named(stage, port, kind, name, output, *span),
                None => self.only(stage, port, kind, name, *span),
            };
            let Some(output) = output else { continue };
            if seen.insert((number, output.name.as_str())) {
                let back = self.sketch.rounds.is_back(reader, number);
                feeds.push(Feed { stage: number, output, back, span: *span });
            } else {
                let (port, stage) = (port.name.clone(), stage.name.clone());
                let fault = Fault::WiredTwice { wire: wire.clone(), port, stage };
                self.problems.add(fault, *span, "again");
            }
        }
        feeds
    }

    /// The output that `stage.port` names.
    fn named(
        &mut self,
        stage: &Draft,
        port: &Port,
        kind: &'a Description,
        from: &str,
        name: &str,
        span: Span,
    ) -> Option<&'a Port> {
        let Some(output) = kind.outputs.iter().find(|output| output.name == name) else {
            let known: Vec<&str> = kind.outputs.iter().map(|port| port.name.as_str()).collect();
            let fault = Fault::UnknownPort {
                owner: format!("`{from}` of kind `{}`", kind.kind),
                side: "output",
                port: name.to_owned(),
                help: names::suggestion(name, &known),
            };
            self.problems.add(fault, span, "");
            return None;
        };
        if output.artifact != port.artifact {
            let from = format!("{from}.{name}");
            self.mismatch(stage, port, from, output.artifact.clone(), span);
            return None;
        }
        Some(output)
    }

    /// The one output of a stage whose type fits.
    fn only(
        &mut self,
        stage: &Draft,
        port: &Port,
        kind: &'a Description,
        from: &str,
        span: Span,
    ) -> Option<&'a Port> {
        let fits = |output: &&Port| output.artifact == port.artifact;
        let fitting: Vec<&Port> = kind.outputs.iter().filter(fits).collect();
        match fitting.as_slice() {
            [output] => Some(output),
            [] => {
                let gives: Vec<&str> =
                    kind.outputs.iter().map(|output| output.artifact.as_str()).collect();
                let gives = if gives.is_empty() { "nothing".to_owned() } else { gives.join(", ") };
                self.mismatch(stage, port, from.to_owned(), gives, span);
                None
            }
            several => {
                let choices: Vec<String> =
                    several.iter().map(|output| format!("{from}.{}", output.name)).collect();
                let fault = Fault::Ambiguous {
                    from: from.to_owned(),
                    artifact: port.artifact.clone(),
                    port: port.name.clone(),
                    stage: stage.name.clone(),
                    help: Some(format!("write one of {}", names::list(&choices))),
                };
                self.problems.add(fault, span, "");
                None
            }
        }
    }

    fn mismatch(&mut self, stage: &Draft, port: &Port, from: String, gives: String, span: Span) {
        let givers = self.givers(&stage.name, &port.artifact).filter(|givers| !givers.is_empty());
        let help =
            givers.map(|givers| format!("{} comes from {}", port.artifact, names::list(&givers)));
        let fault = Fault::Mismatch {
            port: port.name.clone(),
            stage: stage.name.clone(),
            takes: port.artifact.clone(),
            from,
            gives,
            help,
        };
        self.problems.add(fault, span, "");
    }

    /// What could be wired to an input of this type: `stage`, or `stage.port` where it must be said.
    /// Nobody looks where there are too many mistakes to show.
    fn givers(&self, stage: &str, artifact: &str) -> Option<Vec<String>> {
        if self.problems.are_enough() {
            return None;
        }
        let mut givers = Vec::new();
        for (other, kind) in self.sketch.stages.iter().zip(self.kinds) {
            let Some(kind) = kind.filter(|_| other.name != stage) else { continue };
            let fitting: Vec<&Port> =
                kind.outputs.iter().filter(|output| output.artifact == artifact).collect();
            match fitting.as_slice() {
                [_] => givers.push(other.name.clone()),
                several => {
                    givers.extend(several.iter().map(|o| format!("{}.{}", other.name, o.name)));
                }
            }
        }
        Some(givers)
    }

    fn unknown_input(&mut self, stage: &Draft, kind: &Description, wired: &Wired) {
        let known: Vec<&str> = kind.inputs.iter().map(|port| port.name.as_str()).collect();
        let help = match names::suggestion(&wired.port, &known) {
            None => Some(format!("the kind `{}` has no inputs", kind.kind)),
            help => help,
        };
        let fault = Fault::UnknownPort {
            owner: format!("`{}` of kind `{}`", stage.name, kind.kind),
            side: "input",
            port: wired.port.clone(),
            help,
        };
        self.problems.add(fault, wired.span, "");
    }

    fn missing_input(&mut self, stage: &Draft, port: &Port, span: Span) {
        let help = self.givers(&stage.name, &port.artifact).map(|givers| match givers.first() {
            Some(giver) => {
                format!("it takes {}: `inputs = {{ {} = \"{giver}\" }}`", port.artifact, port.name)
            }
            None => format!("it takes {}, which no stage here gives", port.artifact),
        });
        let fault =
            Fault::MissingInput { port: port.name.clone(), stage: stage.name.clone(), help };
        self.problems.add(fault, span, "");
    }
}

fn split(wire: &str) -> (&str, Option<&str>) {
    match wire.split_once('.') {
        Some((stage, port)) => (stage, Some(port)),
        None => (wire, None),
    }
}
