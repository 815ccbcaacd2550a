use scarce_orchestrator::{Garbage, Outcome, Record, collect_garbage};

use crate::project::Project;

fn project() -> Project {
    Project::new("[stages.a]\nkind = \"source\"\nvalue = 1\n")
}

fn records(project: &Project) -> usize {
    Record::all(&project.root(), "small").unwrap().len()
}

#[test]
fn a_run_with_nothing_to_do_leaves_the_record_alone() {
    let mut project = project();
    project.run();
    let path = Record::path(&project.root(), "small");
    let before = fs_err::read(&path).unwrap();
    project.run();
    assert_eq!(fs_err::read(&path).unwrap(), before);
    assert_eq!(records(&project), 1);
    project.edit("value = 1", "value = 2");
    project.run();
    assert_eq!(records(&project), 2);
    project.edit("value = 2", "value = 1");
    project.run();
    assert_eq!(records(&project), 3, "nothing ran, but the results are others");
    assert_eq!(Record::pipelines(&project.root()).unwrap(), ["small"]);
}

#[test]
fn garbage_is_what_the_runs_that_count_do_not_reach() {
    let mut project = project();
    project.run();
    let old = project.entry("a");
    project.edit("value = 1", "value = 2");
    project.run();
    let new = project.entry("a");
    let root = project.root();
    let mut garbage = Garbage::default();
    assert!(collect_garbage(&root, &garbage).unwrap().entries.is_empty());
    garbage.keep_runs = Some(1);
    garbage.dry_run = true;
    let dry = collect_garbage(&root, &garbage).unwrap();
    assert_eq!((dry.entries.len(), dry.kept), (1, 1));
    assert!(dry.bytes() > 0 && old.exists());
    garbage.dry_run = false;
    let done = collect_garbage(&root, &garbage).unwrap();
    assert_eq!(done.entries, dry.entries);
    assert!(!old.exists() && new.exists());
    assert_eq!(records(&project), 1);
    assert_eq!(project.run().counts(), (0, 1));
}

#[test]
fn a_record_that_cannot_be_read_keeps_everything() {
    let project = project();
    project.run();
    fs_err::write(Record::path(&project.root(), "small"), "{").unwrap();
    let error = collect_garbage(&project.root(), &Garbage::default()).unwrap_err();
    assert!(error.to_string().contains("run.json"), "{error}");
    // A run only cannot tell why stages run.
    assert!(project.run().summary.is_success());
    assert!(collect_garbage(&project.root(), &Garbage::default()).is_ok());
}

#[test]
fn a_run_is_recorded_while_it_goes_on() {
    use scarce_orchestrator::RunEvent;
    let project = Project::new(
        "[stages.a]\nkind = \"source\"\n[stages.b]\nkind = \"halve\"\ninputs = { truth = \"a\" }\n",
    );
    let seen = std::sync::Mutex::new(Vec::new());
    let watch = |event: &RunEvent| {
        if matches!(event, RunEvent::Started { task, .. } if task.stage == "b") {
            let paths = Record::all(&project.root(), "small").unwrap();
            *seen.lock().unwrap() = paths.iter().map(|path| Record::read(path).unwrap()).collect();
        }
    };
    project.run_watched(&false.into(), &watch).unwrap();
    let seen = seen.into_inner().unwrap();
    let [record] = &seen[..] else { panic!("{seen:?}") };
    assert_eq!(record.outcome, Outcome::Unfinished);
    let done: Vec<_> = record.tasks.iter().map(|task| task.stage.as_str()).collect();
    assert_eq!(done, ["a"]);
    assert_eq!(record.tasks[0].key, project.record().tasks[0].key);
    assert_eq!(records(&project), 1, "its record has taken over");
}

#[test]
fn a_journal_cut_short_keeps_what_it_has_and_one_with_a_flipped_bit_keeps_everything() {
    let project = project();
    project.run();
    let history = project.root().join("runs/small/history");
    fs_err::create_dir_all(&history).unwrap();
    let mut record = project.record();
    let task = record.tasks.remove(0);
    record.outcome = Outcome::Unfinished;
    let line = |value: &dyn Fn() -> Vec<u8>| [value(), b"\n".to_vec()].concat();
    let layout = scarce_store::Layout::Line;
    let head = line(&|| scarce_store::seal(&record, layout).unwrap());
    let body = line(&|| scarce_store::seal(&task, layout).unwrap());
    fs_err::remove_file(Record::path(&project.root(), "small")).unwrap();
    let path = history.join("2026-01-01T00-00-00.000000-1.jsonl");
    let write = |parts: &[&[u8]]| fs_err::write(&path, parts.concat()).unwrap();
    let now = Garbage { grace: std::time::Duration::ZERO, ..Garbage::default() };

    write(&[&head, &body, &body[..body.len() / 2]]);
    assert_eq!(Record::read(&path).unwrap().tasks, [task]);
    assert!(collect_garbage(&project.root(), &now).unwrap().entries.is_empty());
    let mut spoilt = body.clone();
    spoilt[body.len() / 2] ^= 1;
    write(&[&head, &spoilt]);
    let error = collect_garbage(&project.root(), &now).unwrap_err();
    assert!(error.to_string().contains("line 2"), "{error}");
    write(&[&head, &body[..body.len() / 2]]);
    assert_eq!(collect_garbage(&project.root(), &now).unwrap().entries.len(), 1);
}

/// As version 0.1 left them: a record without a digest, a manifest without one, links to entries.
#[test]
fn an_older_store_is_computed_again_and_neither_damaged_nor_served() {
    let project = project();
    project.run();
    let mut record = serde_json::to_value(project.record()).unwrap();
    record["format"] = 1.into();
    record["tasks"][0]["ingredients"]["format"] = 1.into();
    let key = "0123456789abcdef0123456789abcdef";
    record["tasks"][0]["key"] = key.into();
    let entry = project.entry("a");
    let old = entry.with_file_name(key);
    fs_err::rename(&entry, &old).unwrap();
    let manifest = old.join("manifest.json");
    let mut text: serde_json::Value =
        serde_json::from_slice(&fs_err::read(&manifest).unwrap()).unwrap();
    text.as_object_mut().unwrap().remove("digest");
    text["format"] = 1.into();
    text["key"] = key.into();
    crate::project::overwrite(&manifest, text.to_string().as_bytes());
    fs_err::write(Record::path(&project.root(), "small"), record.to_string()).unwrap();
    let view = project.root().join("runs/small/a");
    fs_err::remove_dir_all(&view).unwrap();
    fs_err::os::unix::fs::symlink(&old, &view).unwrap();

    assert_eq!(project.planned(), ["a: a new version makes keys in another way"]);
    assert_eq!(project.run().counts(), (1, 0));
    assert!(!view.is_symlink() && project.entry("a") != old);
    let store = scarce_store::Store::open(&project.root()).unwrap();
    for (kind, key) in store.names().unwrap() {
        let found = store.find_verified(&kind, &key).unwrap();
        assert!(matches!(found, scarce_store::Lookup::Hit(_)), "{found:?}");
    }
    let kept = collect_garbage(&project.root(), &Garbage::default()).unwrap();
    assert_eq!((kept.entries.len(), kept.kept), (0, 2), "its record still reaches the old one");
    let done =
        collect_garbage(&project.root(), &Garbage { keep_runs: Some(1), ..Garbage::default() });
    assert_eq!(done.unwrap().entries[0].key.as_str(), key);
}

#[test]
fn views_are_links_that_survive_moving_the_folder() {
    let project = project();
    project.run();
    let notes = project.root().join("runs/small/notes.txt");
    fs_err::write(&notes, "mine").unwrap();
    fs_err::rename(project.root(), project.path("elsewhere")).unwrap();
    assert!(project.path("elsewhere/runs/small/a/truth.parquet").exists());
    fs_err::rename(project.path("elsewhere"), project.root()).unwrap();
    project.run();
    assert!(notes.exists());
}
