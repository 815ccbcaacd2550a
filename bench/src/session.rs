//! One run of the benchmark: what was asked for, where things lie, what was measured.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::{
    args::Options,
    contest::{Contestant, Ours, REPEATED, Turn, take_turns},
    data::Data,
    environment, machine,
    peer::{Peer, Request},
    results::{self, Measured},
    say,
    scarce::Scarce,
    table,
    works::{Case, Choice, Work},
};

/// Threads of some libraries spin a while after their work; the next turn waits for them.
const PAUSE: Duration = Duration::from_millis(200);

/// A run of the benchmark.
pub(crate) struct Session {
    /// What was asked for.
    pub(crate) options: Options,
    /// `target/bench`: environments, data, projects, logs.
    pub(crate) place: PathBuf,
    /// Data for both sides.
    pub(crate) data: Data,
    measured: Vec<(&'static Work, Vec<Measured>)>,
}

impl Session {
    /// Sets the number of threads and finds the folders.
    pub(crate) fn new(options: Options) -> Result<Self> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(options.threads());
        pool.build_global().context("the thread pool")?;
        let this = std::env::current_exe().context("the path of this program")?;
        let target = this.ancestors().nth(2).context("this program lies in no target folder")?;
        let place = target.join("bench");
        let data = Data::new(&options.data, &place);
        Ok(Self { options, place, data, measured: Vec::new() })
    }

    /// Threads of each side.
    pub(crate) fn threads(&self) -> usize {
        self.options.threads()
    }

    /// The built `scarce`.
    pub(crate) fn scarce(&self) -> Result<Scarce> {
        Scarce::beside_this(self.threads(), self.data.folders())
    }

    /// A peer; `script` is a file of `bench/peers/`.
    pub(crate) fn peer(
        &self,
        environment: &str,
        script: &str,
        data: Value,
        params: Value,
    ) -> Result<Peer> {
        let python = environment::python_of(&self.place, environment)?;
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers").join(script);
        let log = self.place.join("logs").join(script).with_extension("log");
        let request = Request { data, params, threads: self.threads(), seconds: REPEATED };
        Ok(Peer::new(python, file, log, request))
    }

    /// Lets the peers, if there are any, and our side take turns at a case, and keeps and prints what
    /// came of it.
    pub(crate) fn compare(
        &mut self,
        choice: &Choice,
        case: &'static Case,
        mut peers: Vec<Peer>,
        ours: impl FnMut(&[Turn]) -> Result<Turn>,
    ) -> Result<()> {
        let (work, pairs) = (choice.work, self.options.pairs(case.heavy));
        let load = machine::load();
        let mut ours = Ours(ours);
        let mut sides: Vec<&mut dyn Contestant> = Vec::new();
        sides.extend(peers.iter_mut().map(|peer| peer as &mut dyn Contestant));
        sides.push(&mut ours);
        let mut observe = |round: usize, name: &str, turn: &Turn| {
            let seconds = table::seconds(turn.seconds);
            let round =
                if round == 0 { "warm-up".to_owned() } else { format!("turn {round}/{pairs}") };
            say(format_args!("{}/{}  {round}  {name}: {seconds}", work.name, case.name));
            std::thread::sleep(PAUSE);
        };
        let series = take_turns(&mut sides, pairs, !case.heavy, &mut observe)?;
        let measured = Measured {
            case: case.name.to_owned(),
            threads: self.threads(),
            processor: machine::processor(),
            load,
            series,
        };
        results::write(&self.options.out, work, &measured)?;
        match self.measured.iter_mut().find(|(known, _)| known.name == work.name) {
            Some((_, list)) => list.push(measured),
            None => self.measured.push((work, vec![measured])),
        }
        Ok(())
    }

    /// What this run has measured, by work.
    pub(crate) fn measured(&self) -> &[(&'static Work, Vec<Measured>)] {
        &self.measured
    }
}
