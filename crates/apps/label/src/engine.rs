//! What goes on behind the page: the pipeline runs, and runs again as labels come in. Nobody waits for
//! it.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use rayon::prelude::*;
use scarce_artifact::Classes;
use scarce_ingest::{IngestParams, read_labels};
use scarce_orchestrator::{Options, Orchestrator, RunEvent};
use scarce_pipeline::{Document, Overrides, Pipeline};
use scarce_stage::Level;

use crate::{
    Error, Result,
    figures::cohen_kappa,
    gallery::Gallery,
    journal::{Entry, ImageRef, Ledger, Mode, What},
    labels::{Row, labelled, write_csv},
    queue::Queue,
    roles::Roles,
    session::{Phase, Progress, Session, State},
    tables::{self, Beliefs, MapPoints, Vectors},
};

/// Labels after which the model learns again.
const BATCH: usize = 10;
/// So long after the last label it learns from fewer.
const IDLE: Duration = Duration::from_secs(5);
/// Rounds whose agreement is shown.
const ROUNDS: usize = 3;

/// The pipeline with the first value of each of its axes: of folds that is the one with all labels.
///
/// # Errors
/// What is wrong with the file.
pub(crate) fn resolve(
    document: &Document,
    catalogue: &scarce_pipeline::Catalogue,
) -> Result<Pipeline> {
    let whole = Pipeline::resolve(document, catalogue, &Overrides::default())?;
    let first = |(name, values): &(String, Vec<serde_json::Value>)| {
        let value = values.first()?;
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        Some(format!("{name}={value}"))
    };
    let axes: Vec<String> = whole.axes.iter().filter_map(first).collect();
    if axes.is_empty() {
        return Ok(whole);
    }
    let overrides = Overrides { set: Vec::new(), axes };
    Ok(Pipeline::resolve(document, catalogue, &overrides)?)
}

/// The work of the thread behind a page, until the session ends.
pub(crate) fn work(session: &Arc<Session>) {
    match prepare(session) {
        Ok(()) => learn_on(session),
        Err(_) if session.is_ended() => {}
        Err(error) => {
            let message = scarce_stage::Failure::from(error);
            let help = message.help.map_or_else(String::new, |help| format!(" ({help})"));
            let message = format!("{}{help}", message.message);
            tracing::error!("{message}");
            session.state().phase = Phase::Failed { message };
            session.tell();
        }
    }
}

fn prepare(session: &Arc<Session>) -> Result<()> {
    let Roles { images, first, vectors, .. } = &session.roles;
    run(session, &session.pipeline, &[images], None)?;
    let Session { settings, pipeline, roles, .. } = &**session;
    let gallery = Arc::new(gallery_of(&settings.root, pipeline, roles)?);
    take_over(session, &gallery)?;
    let targets: Vec<&String> = first.iter().chain(vectors).collect();
    if !targets.is_empty() {
        run(session, &session.pipeline, &targets, None)?;
    }
    let table = |stage: &Option<String>, port: &str| {
        let stage = stage.as_ref()?;
        Roles::table(&session.settings.root, &session.pipeline, stage, port)
    };
    let wanted =
        table(first, "queries").map(|path| tables::queries(&path, &gallery)).transpose()?;
    let near =
        table(vectors, "embeddings").map(|path| Vectors::read(&path, &gallery)).transpose()?;
    let mut state = session.state();
    state.vectors = near.map(Arc::new);
    state.reorder(&wanted.unwrap_or_default());
    state.phase = Phase::Ready;
    state.progress = None;
    drop(state);
    session.tell();
    Ok(())
}

/// Learns after every batch, until the end.
fn learn_on(session: &Arc<Session>) {
    let beside = Arc::clone(session);
    let extras = std::thread::spawn(move || extras(&beside));
    if session.state().tally(&session.settings.who_wins).learnt > 0 {
        learn(session);
    }
    while !session.is_ended() {
        let mut state = session.state();
        let idle = state.last_decision.elapsed() >= IDLE;
        if state.news < BATCH && !(state.news > 0 && idle) {
            let pause = Duration::from_millis(500);
            let waited = session.wake.wait_timeout(state, pause);
            // Other processes write to the journal too.
            let mut state = match waited {
                Ok((state, _)) => state,
                Err(poisoned) => poisoned.into_inner().0,
            };
            if let Err(error) = state.catch_up() {
                drop(state);
                session.notice(error.to_string());
            }
            continue;
        }
        state.news = 0;
        state.learning = true;
        drop(state);
        session.tell();
        learn(session);
    }
    // What follows from the journal is there when the page is closed.
    if let Err(error) = write_labels(session) {
        tracing::warn!("{error}");
    }
    let _ = extras.join();
}

fn learn(session: &Arc<Session>) {
    let done = learn_once(session);
    let mut state = session.state();
    state.learning = false;
    state.progress = None;
    drop(state);
    match done {
        Ok(()) => session.tell(),
        Err(_) if session.is_ended() => {}
        Err(error) => session.notice(format!("no new guesses: {error}")),
    }
}

/// From the labels to new guesses and a new queue.
fn learn_once(session: &Arc<Session>) -> Result<()> {
    let begin = Instant::now();
    let gallery = session.gallery()?;
    let classes = write_labels(session)?;
    let count: usize = classes.values().sum();
    let Roles { answers, next, first, .. } = &session.roles;
    let root = &session.settings.root;
    let table = |stage: &str, port: &str| Roles::table(root, &session.pipeline, stage, port);
    if count == 0 {
        let wanted = first.as_ref().and_then(|first| table(first, "queries"));
        let wanted = wanted.map(|path| tables::queries(&path, &gallery)).transpose()?;
        let mut state = session.state();
        state.beliefs = None;
        state.reorder(&wanted.unwrap_or_default());
        return Ok(());
    }
    // Of a single class there is nothing to learn but what to ask next.
    let targets: Vec<&String> = next.iter().chain((classes.len() > 1).then_some(answers)).collect();
    if !targets.is_empty() {
        run(session, &session.pipeline, &targets, None)?;
    }
    let wanted = next.as_ref().and_then(|next| table(next, "queries"));
    let wanted = wanted.map(|path| tables::queries(&path, &gallery)).transpose()?;
    let beliefs = match table(answers, "predictions").filter(|_| classes.len() > 1) {
        Some(path) => Some(Beliefs::read(&path, &gallery)?),
        None => None,
    };
    let mut state = session.state();
    if let Some(mut beliefs) = beliefs {
        beliefs.labels = count;
        beliefs.seconds = begin.elapsed().as_secs_f64();
        beliefs.round = 1;
        if let Some(before) = &state.beliefs {
            beliefs.round += before.round;
            let kappa = stability(before, &beliefs);
            state.kappas.extend(kappa);
            let extra = state.kappas.len().saturating_sub(ROUNDS);
            state.kappas.drain(..extra);
        }
        state.beliefs = Some(Arc::new(beliefs));
    }
    state.reorder(&wanted.unwrap_or_default());
    Ok(())
}

/// How far two rounds agree on all pictures.
fn stability(before: &Beliefs, now: &Beliefs) -> Option<f64> {
    let class = |beliefs: &Beliefs, place: usize| {
        usize::try_from(beliefs.label[place]).ok().map(|at| beliefs.classes[at].clone())
    };
    let both = 0..before.label.len().min(now.label.len());
    let pairs: Vec<(Option<String>, Option<String>)> =
        both.map(|place| (class(before, place), class(now, place))).collect();
    let refs: Vec<_> = pairs.iter().map(|(a, b)| (a, b)).collect();
    if refs.iter().all(|(a, b)| a == b) { Some(1.0) } else { cohen_kappa(&refs) }
}

/// Groups and the map, which nobody waits for: with one thread, so that learning has the others.
fn extras(session: &Arc<Session>) {
    let Roles { groups, map, .. } = &session.roles;
    // Under a name of its own: of two runs of one pipeline at once, the last to end says what is shown.
    let pipeline =
        Pipeline { name: format!("{}-map", session.pipeline.name), ..session.pipeline.clone() };
    let table =
        |stage: &str, port: &str| Roles::table(&session.settings.root, &pipeline, stage, port);
    let read = || -> Result<()> {
        let gallery = session.gallery()?;
        if let Some(groups) = groups {
            run(session, &pipeline, &[groups], Some(1))?;
            if let Some(path) = table(groups, "clusters") {
                let groups = tables::groups(&path, &gallery)?;
                session.state().groups = Some(Arc::new(groups));
                session.tell();
            }
        }
        if let Some(map) = map {
            run(session, &pipeline, &[map], Some(1))?;
            if let Some(path) = table(map, "embeddings") {
                let map = MapPoints::read(&path, &gallery)?;
                session.state().map = Some(Arc::new(map));
                session.tell();
            }
        }
        Ok(())
    };
    if let Err(error) = read()
        && !session.is_ended()
    {
        session.notice(format!("there is no map: {error}"));
    }
}

/// Runs some stages and what they need; what they say goes to the page.
fn run(
    session: &Session,
    pipeline: &Pipeline,
    targets: &[&String],
    threads: Option<usize>,
) -> Result<()> {
    let beside = threads.is_some();
    let defaults = Options::default();
    let threads = threads.unwrap_or(defaults.threads);
    let options = Options {
        jobs: threads,
        threads,
        targets: targets.iter().map(|name| (*name).clone()).collect(),
        data: session.settings.data.clone(),
        ..defaults
    };
    let root = &session.settings.root;
    let orchestrator = Orchestrator::new(root, pipeline, &session.hosts, options)?;
    let summary = orchestrator.run(&session.stop, &|event| match event {
        RunEvent::Started { task, .. } if !beside => {
            let progress = Progress { stage: task.stage, ..Progress::default() };
            session.state().progress = Some(progress);
            session.tell();
        }
        RunEvent::Progress { task, done, total, unit, .. } if !beside => {
            session.state().progress = Some(Progress { stage: task.stage, done, total, unit });
            session.tell();
        }
        RunEvent::Log { task, level: Level::Warn | Level::Error, message } => {
            let stage = task.map_or_else(String::new, |task| format!("{}: ", task.stage));
            tracing::warn!("{stage}{message}");
        }
        _ => {}
    })?;
    if summary.is_success() {
        return Ok(());
    }
    let message = match summary.failures.first() {
        Some(failed) => {
            let help = failed.failure.help.as_ref().map(|help| format!(" ({help})"));
            let help = help.unwrap_or_default();
            format!("the stage `{}` failed: {}{help}", failed.task.stage, failed.failure.message)
        }
        None => "the run was interrupted".to_owned(),
    };
    Err(Error::StageFailed { message })
}

/// The pictures that the run ingested.
pub(crate) fn gallery_of(root: &Path, pipeline: &Pipeline, roles: &Roles) -> Result<Gallery> {
    let table = Roles::table(root, pipeline, &roles.images, "images")
        .ok_or_else(|| Error::request("the pipeline has not run: there is no table of images"))?;
    let task = Roles::task(pipeline, &roles.images);
    let params = task.map(|task| serde_json::Value::Object((*task.params).clone()));
    let params: IngestParams = serde_json::from_value(params.unwrap_or_default())
        .map_err(|error| Error::request(format!("the parameters of `ingest`: {error}")))?;
    let Some(path) = &params.path else {
        return Err(Error::request(
            "the pipeline ingests a built-in data set; labelling needs a folder or a Parquet file of pictures",
        ));
    };
    Gallery::open(&table, path, &params.source_options(), &root.join("thumbnails"))
}

/// What a journal amounts to for these pictures, and which of them were labelled as audits.
pub(crate) fn ledger_of(entries: Vec<Entry>, gallery: &Gallery) -> (Ledger, HashSet<u32>) {
    let found = find_pictures(&entries, gallery);
    let mut ledger = Ledger::default();
    let mut audit = HashSet::new();
    for entry in entries {
        if let What::Label { image, audit: true, .. } = &entry.what {
            audit.extend(found.get(image).copied().flatten());
        }
        ledger.add(entry, |image| found.get(image).copied().flatten());
    }
    (ledger, audit)
}

/// Takes in the journal, now that the pictures are known, and what files of labels add to it.
fn take_over(session: &Arc<Session>, gallery: &Arc<Gallery>) -> Result<()> {
    let unread = std::mem::take(&mut session.state().unread);
    let (ledger, audit) = ledger_of(unread, gallery);
    let lost = ledger.lost();
    if lost > 0 {
        session.notice(format!(
            "{lost} lines of the journal are about pictures that are no longer here, or have changed; \
             they are kept, and left out"
        ));
    }
    let imported = imports(session, gallery, &ledger)?;
    let mut state = session.state();
    let news: Vec<Entry> = session
        .settings
        .classes
        .iter()
        .filter(|class| !ledger.classes().iter().any(|(known, _)| known == *class))
        .map(|class| session.entry("classes", What::Class { class: class.clone(), key: None }))
        .chain(imported)
        .collect();
    state.ledger = ledger;
    state.gallery = Some(Arc::clone(gallery));
    if !news.is_empty() {
        state.write(&news)?;
    }
    let taken = State::taken(&state.ledger, &audit);
    state.queue = Queue::new(state.journal.audit_seed(), gallery.names(), &taken);
    drop(state);
    session.tell();
    Ok(())
}

/// The picture that each reference means: of its name, if its bytes are the same; otherwise the one
/// with its bytes, whatever it is called now.
fn find_pictures(entries: &[Entry], gallery: &Gallery) -> HashMap<ImageRef, Option<u32>> {
    let refs: HashSet<&ImageRef> = entries.iter().filter_map(|entry| entry.what.image()).collect();
    let refs: Vec<&ImageRef> = refs.into_iter().collect();
    let same = |image: &&ImageRef| {
        let place = gallery.by_name(&image.file)?;
        (gallery.image_ref(place).ok()?.blake3 == image.blake3).then_some(place)
    };
    let mut found: HashMap<ImageRef, Option<u32>> =
        refs.par_iter().map(|image| ((*image).clone(), same(image))).collect();
    if found.values().any(Option::is_none) {
        let places = 0..gallery.len() as u32;
        let digests: HashMap<String, u32> = places
            .into_par_iter()
            .filter_map(|place| Some((gallery.image_ref(place).ok()?.blake3, place)))
            .collect();
        for (image, place) in &mut found {
            *place = place.or_else(|| digests.get(&image.blake3).copied());
        }
    }
    found
}

/// Labels of `--labels`, and of the pipeline's file of labels, that the journal never said.
fn imports(session: &Session, gallery: &Gallery, ledger: &Ledger) -> Result<Vec<Entry>> {
    let (own, _) = label_files(session);
    let mut entries = Vec::new();
    for path in session.settings.import.iter().chain(own.as_ref()) {
        if !path.exists() && session.settings.import.as_ref() != Some(path) {
            continue;
        }
        let is_given = session.settings.import.as_ref() == Some(path);
        let read = read_labels(path, gallery.names(), is_given)?;
        if read.unknown > 0 {
            // The file is about to be written anew; nothing that somebody wrote into it is lost.
            let kept = path.with_extension("left-out.csv");
            fs_err::copy(path, &kept)?;
            session.notice(format!(
                "{} labels in `{}` are of pictures that are not here; the file as it was is kept as `{}`",
                read.unknown,
                path.display(),
                kept.display()
            ));
        }
        for label in read.labels {
            let place = label.image as u32;
            let by = label.annotator.unwrap_or_else(|| "import".to_owned());
            if ledger.ever_said(place, gallery.name(place).unwrap_or_default(), &by, &label.class) {
                continue;
            }
            let image = gallery.image_ref(place)?;
            let what = What::Label {
                image,
                class: label.class,
                mode: Mode::Import,
                guess: None,
                audit: false,
            };
            entries.push(Entry { by, ..session.entry("import", what) });
        }
    }
    Ok(entries)
}

/// The file that the pipeline reads labels from, and the one beside it with the audit's.
pub(crate) fn label_files(session: &Session) -> (Option<PathBuf>, Option<PathBuf>) {
    let task = Roles::task(&session.pipeline, &session.roles.labels);
    let path = task.and_then(|task| task.params.get("path")).and_then(serde_json::Value::as_str);
    let own = path.map(PathBuf::from);
    let beside = own.as_ref().map(|own| {
        let stem = own.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        own.with_file_name(format!("{stem}.audit.csv"))
    });
    (own, beside)
}

/// Writes the files of labels that follow from the journal; how many labels of each class may be learnt
/// from.
fn write_labels(session: &Session) -> Result<HashMap<String, usize>> {
    let (own, beside) = label_files(session);
    let state = session.state();
    let Some(gallery) = state.gallery.clone() else { return Ok(HashMap::new()) };
    let mut counts = HashMap::new();
    let (mut rows, mut audit) = (Vec::new(), Vec::new());
    for (place, label, annotator) in labelled(&state.ledger, &session.settings.who_wins) {
        let file = gallery.name(place).unwrap_or_default().to_owned();
        let row = Row { file, label, annotator };
        if state.queue.is_audit(place) {
            audit.push(row);
        } else {
            *counts.entry(row.label.clone()).or_default() += 1;
            rows.push(row);
        }
    }
    drop(state);
    let write = |path: Option<PathBuf>, rows: &[Row]| path.map_or(Ok(()), |p| write_csv(&p, rows));
    write(own, &rows)?;
    write(beside, &audit)?;
    Ok(counts)
}

/// Makes the file that the pipeline reads labels from, if there is none yet.
pub(crate) fn ensure_labels(path: &Path) -> Result<()> {
    if path.exists() { Ok(()) } else { write_csv(path, &[]) }
}

/// Classes that the model knows and nobody labelled yet, and the other way round: in one order.
pub(crate) fn all_classes(state: &State) -> Vec<String> {
    let mut names: Vec<String> =
        state.ledger.classes().iter().map(|(name, _)| name.clone()).collect();
    let known: BTreeSet<String> = names.iter().cloned().collect();
    let beliefs = state.beliefs.iter().flat_map(|beliefs| beliefs.classes.iter().cloned());
    names.extend(Classes::in_order(beliefs.filter(|name| !known.contains(name))));
    names
}
