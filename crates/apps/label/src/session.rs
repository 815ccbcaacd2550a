//! One sitting: what is known, what was decided, what comes next. The page asks it; the
//! [engine](crate::engine) fills it.

use std::{
    collections::HashSet,
    path::PathBuf,
    sync::{
        Arc, Condvar, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use jiff::Timestamp;
use rayon::prelude::*;
use scarce_orchestrator::Hosts;
use scarce_pipeline::Pipeline;
use serde::Serialize;
use tokio::sync::watch;

use crate::{
    Error, Result,
    gallery::{Gallery, lock},
    journal::{Decision, Entry, Guess, ImageRef, Journal, Ledger, Mode, Opinion, What, WhoWins},
    queue::Queue,
    random,
    roles::Roles,
    tables::{Beliefs, MapPoints, Vectors},
};

/// What a sitting is about.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The pipeline's file.
    pub pipeline: PathBuf,
    /// The folder of the artifacts.
    pub root: PathBuf,
    /// Folders where pretrained networks lie.
    pub data: Vec<PathBuf>,
    /// The journal.
    pub journal: PathBuf,
    /// Who labels.
    pub annotator: String,
    /// Classes that are known beforehand.
    pub classes: Vec<String>,
    /// Labels of another tool, to begin with.
    pub import: Option<PathBuf>,
    /// Whose word counts where annotators disagree.
    pub who_wins: WhoWins,
}

/// How far the sitting is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "phase", rename_all = "kebab-case")]
pub(crate) enum Phase {
    /// Pictures are looked at and encoded.
    Preparing,
    /// Pictures can be labelled.
    Ready,
    /// It cannot go on.
    Failed {
        /// Why.
        message: String,
    },
}

/// How far a stage is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Progress {
    pub(crate) stage: String,
    pub(crate) done: u64,
    pub(crate) total: u64,
    pub(crate) unit: String,
}

/// Everything that changes.
pub(crate) struct State {
    pub(crate) phase: Phase,
    pub(crate) progress: Option<Progress>,
    /// What a person should know, each once.
    pub(crate) notices: Vec<String>,
    pub(crate) journal: Journal,
    pub(crate) ledger: Ledger,
    /// Lines of the journal from before the pictures were known.
    pub(crate) unread: Vec<Entry>,
    pub(crate) gallery: Option<Arc<Gallery>>,
    pub(crate) queue: Queue,
    pub(crate) beliefs: Option<Arc<Beliefs>>,
    /// Cohen's kappa of successive rounds.
    pub(crate) kappas: Vec<f64>,
    pub(crate) vectors: Option<Arc<Vectors>>,
    pub(crate) groups: Option<Arc<Vec<i32>>>,
    pub(crate) map: Option<Arc<MapPoints>>,
    /// Decisions since learning last began.
    pub(crate) news: usize,
    pub(crate) last_decision: Instant,
    pub(crate) learning: bool,
}

/// One sitting.
pub(crate) struct Session {
    pub(crate) settings: Settings,
    pub(crate) hosts: Hosts,
    pub(crate) pipeline: Pipeline,
    pub(crate) roles: Roles,
    state: Mutex<State>,
    pub(crate) wake: Condvar,
    /// Counts changes that the page should know of.
    pub(crate) changes: watch::Sender<u64>,
    pub(crate) stop: AtomicBool,
}

/// What the page asks to be written down.
#[derive(Debug, Clone, serde::Deserialize)]
pub(crate) struct Wish {
    pub(crate) images: Vec<u32>,
    /// The class, unless it is `unsure` or `unusable`.
    #[serde(default)]
    pub(crate) class: Option<String>,
    /// `label`, `unsure` or `unusable`.
    pub(crate) what: String,
    pub(crate) mode: Mode,
    /// The guess that was on the page.
    #[serde(default)]
    pub(crate) guess: Option<f32>,
    #[serde(default)]
    pub(crate) guessed: Option<String>,
}

impl Session {
    pub(crate) fn new(
        settings: Settings,
        hosts: Hosts,
        pipeline: Pipeline,
        roles: Roles,
    ) -> Result<Self> {
        let (journal, unread) = Journal::open(&settings.journal)?;
        let state = State {
            phase: Phase::Preparing,
            progress: None,
            notices: Vec::new(),
            journal,
            ledger: Ledger::default(),
            unread,
            gallery: None,
            queue: Queue::default(),
            beliefs: None,
            kappas: Vec::new(),
            vectors: None,
            groups: None,
            map: None,
            news: 0,
            last_decision: Instant::now(),
            learning: false,
        };
        Ok(Self {
            settings,
            hosts,
            pipeline,
            roles,
            state: Mutex::new(state),
            wake: Condvar::new(),
            changes: watch::Sender::new(0),
            stop: AtomicBool::new(false),
        })
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Tells every page that something changed.
    pub(crate) fn tell(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    pub(crate) fn notice(&self, text: impl Into<String>) {
        let text = text.into();
        tracing::warn!("{text}");
        let mut state = self.state();
        if !state.notices.contains(&text) {
            state.notices.push(text);
        }
        drop(state);
        self.tell();
    }

    /// Ends the engine; whatever runs is interrupted.
    pub(crate) fn end(&self) {
        self.stop.store(true, Ordering::SeqCst);
        self.wake.notify_all();
        self.tell();
    }

    pub(crate) fn is_ended(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    pub(crate) fn gallery(&self) -> Result<Arc<Gallery>> {
        let gallery = self.state().gallery.clone();
        gallery.ok_or_else(|| Error::request("the pictures are still being looked at"))
    }

    /// Writes decisions down. When this returns they are on the disk.
    pub(crate) fn decide(&self, wish: &Wish) -> Result<()> {
        let gallery = self.gallery()?;
        let class = match wish.what.as_str() {
            "label" => Some(class_name(wish.class.as_deref().unwrap_or_default())?),
            "unsure" | "unusable" => None,
            other => return Err(Error::request(format!("`{other}` is no decision"))),
        };
        if wish.images.is_empty() {
            return Err(Error::request("no picture is selected"));
        }
        // Read and digested before anybody has to wait for the lock.
        let refs: Vec<(u32, ImageRef)> = wish
            .images
            .par_iter()
            .map(|&place| Ok((place, gallery.image_ref(place)?)))
            .collect::<Result<_>>()?;
        let act = format!("{:016x}", random());
        let mut state = self.state();
        let entry = |(place, image): (u32, ImageRef)| {
            let audit = state.queue.is_audit(place);
            let mode = wish.mode;
            let what = match (&class, wish.what.as_str()) {
                (Some(class), _) => {
                    let guess = state.shown_guess(place, wish).filter(|_| !audit);
                    What::Label { image, class: class.clone(), mode, guess, audit }
                }
                (None, "unsure") => What::Unsure { image, mode },
                _ => What::Unusable { image, mode },
            };
            self.entry(&act, what)
        };
        let entries: Vec<Entry> = refs.into_iter().map(entry).collect();
        state.write(&entries)?;
        for place in &wish.images {
            state.queue.decided(*place);
        }
        state.news += entries.len();
        state.last_decision = Instant::now();
        drop(state);
        self.wake.notify_all();
        self.tell();
        Ok(())
    }

    /// Takes the annotator's last act back; the pictures that it was about.
    pub(crate) fn undo(&self) -> Result<Vec<u32>> {
        let mut state = self.state();
        state.catch_up()?;
        let last = state.ledger.last_act(&self.settings.annotator);
        let Some((of, images)) = last.map(|(act, images)| (act.clone(), images.to_vec())) else {
            return Ok(Vec::new());
        };
        state.write(&[self.entry(&format!("{:016x}", random()), What::Undo { of })])?;
        state.news += 1;
        state.last_decision = Instant::now();
        drop(state);
        self.wake.notify_all();
        self.tell();
        Ok(images)
    }

    /// Adds a class, or gives one another key.
    pub(crate) fn name_class(&self, name: &str, key: Option<char>) -> Result<()> {
        let class = class_name(name)?;
        if let Some(key) = key
            && (!key.is_ascii_alphanumeric() || RESERVED.contains(&key.to_ascii_lowercase()))
        {
            return Err(Error::request(format!(
                "`{key}` cannot be the key of a class: take a letter or a digit other than u, x, n, z"
            )));
        }
        let key = key.map(|key| key.to_ascii_lowercase());
        let mut state = self.state();
        state.write(&[self.entry(&format!("{:016x}", random()), What::Class { class, key })])?;
        drop(state);
        self.tell();
        Ok(())
    }

    pub(crate) fn entry(&self, act: &str, what: What) -> Entry {
        let by = self.settings.annotator.clone();
        Entry { time: Timestamp::now(), act: act.to_owned(), by, what }
    }

    /// The next pictures for a tab.
    pub(crate) fn upcoming(&self, tab: &str, keep: &[u32], count: usize) -> Vec<u32> {
        let mut state = self.state();
        if let Err(error) = state.catch_up() {
            tracing::warn!("{error}");
        }
        let tally = state.tally(&self.settings.who_wins);
        let counts = (tally.learnt, tally.audited, tally.decisions());
        let State { queue, ledger, gallery, .. } = &mut *state;
        let most = gallery.as_ref().map_or(0, |gallery| gallery.len()) as u32;
        let rule = &self.settings.who_wins;
        let open = |place: u32| place < most && ledger.verdict(place, rule).is_none();
        queue.upcoming(tab, keep, count, open, counts)
    }
}

/// Keys that mean something already.
pub(crate) const RESERVED: [char; 4] = ['u', 'x', 'n', 'z'];

/// A name for a class as a person typed it.
fn class_name(text: &str) -> Result<String> {
    let name = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if name.is_empty() {
        return Err(Error::request("a class needs a name"));
    }
    if name.chars().count() > 80 || name.chars().any(char::is_control) {
        return Err(Error::request("the name of a class is a line of at most 80 characters"));
    }
    Ok(name)
}

/// How many decisions of which sort count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Tally {
    pub(crate) learnt: usize,
    pub(crate) audited: usize,
    pub(crate) unsure: usize,
    pub(crate) unusable: usize,
}

impl Tally {
    pub(crate) fn decisions(self) -> usize {
        self.learnt + self.audited + self.unsure + self.unusable
    }
}

impl State {
    /// Writes lines and takes them in, with those of others.
    pub(crate) fn write(&mut self, entries: &[Entry]) -> Result<()> {
        let all = self.journal.append(entries)?;
        self.take_in(all);
        Ok(())
    }

    /// Takes in what other processes wrote.
    pub(crate) fn catch_up(&mut self) -> Result<()> {
        let others = self.journal.refresh()?;
        self.news += others.len();
        self.take_in(others);
        Ok(())
    }

    fn take_in(&mut self, entries: Vec<Entry>) {
        let Some(gallery) = self.gallery.clone() else {
            self.unread.extend(entries);
            return;
        };
        for entry in entries {
            self.ledger.add(entry, |image| gallery.by_name(&image.file));
        }
    }

    /// What the page proposed for a picture when the wish was made.
    fn shown_guess(&self, place: u32, wish: &Wish) -> Option<Guess> {
        match (&wish.guessed, wish.guess) {
            (Some(class), Some(probability)) => Some(Guess { class: class.clone(), probability }),
            _ if wish.mode == Mode::One => None,
            _ => self.beliefs.as_ref()?.guess(place),
        }
    }

    pub(crate) fn tally(&self, rule: &WhoWins) -> Tally {
        let mut tally = Tally::default();
        for image in self.ledger.images() {
            match self.ledger.verdict(image, rule).map(|opinion| opinion.decision) {
                Some(Decision::Label(_)) if self.queue.is_audit(image) => tally.audited += 1,
                Some(Decision::Label(_)) => tally.learnt += 1,
                Some(Decision::Unsure) => tally.unsure += 1,
                Some(Decision::Unusable) => tally.unusable += 1,
                None => {}
            }
        }
        tally
    }

    /// What a stage asks for goes first. For a picture of the audit sample, which nothing may learn from,
    /// stands the one most like it.
    pub(crate) fn reorder(&mut self, wanted: &[u32]) {
        let count = self.gallery.as_ref().map_or(0, |gallery| gallery.len()) as u32;
        let mut chosen: Vec<u32> = Vec::with_capacity(wanted.len());
        for &place in wanted {
            if !self.queue.is_audit(place) {
                chosen.push(place);
                continue;
            }
            let Some(vectors) = &self.vectors else { continue };
            let free = |other: &u32| {
                let open = self.ledger.opinions(*other).is_empty();
                open && !self.queue.is_audit(*other) && !wanted.contains(other)
            };
            let far = |place: u32, other: u32| vectors.distance(place, other);
            let near = (0..count)
                .filter(|other| free(other) && !chosen.contains(other))
                .min_by(|&a, &b| far(place, a).total_cmp(&far(place, b)));
            chosen.extend(near);
        }
        let beliefs = self.beliefs.clone();
        self.queue.reorder(&chosen, |place| beliefs.as_ref().map(|beliefs| beliefs.margin(place)));
    }

    /// Pictures that something learnt from, or that were shown with a guess: they cannot audit.
    pub(crate) fn taken(ledger: &Ledger, audit: &HashSet<u32>) -> HashSet<u32> {
        let labelled = |image: &u32| {
            let is = |o: &Opinion| matches!(o.decision, Decision::Label(_));
            ledger.opinions(*image).iter().any(is) && !audit.contains(image)
        };
        ledger.images().filter(labelled).collect()
    }
}
