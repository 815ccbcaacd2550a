use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use scarce_orchestrator::{Garbage, Outcome, RunEvent};
use scarce_store::Store;

use crate::project::Project;

fn hanging() -> Project {
    Project::new(
        "[stages.slow]\nkind = \"source\"\nmood = \"hang\"\n[stages.quick]\nkind = \"source\"\n",
    )
}

#[test]
fn an_interrupt_ends_children_and_leaves_the_store_whole() {
    let project = hanging();
    let interrupt = AtomicBool::new(false);
    let asked = Mutex::new(None);
    let seen = AtomicUsize::new(0);
    let watch = |event: &RunEvent| {
        let counts = match event {
            RunEvent::Progress { task, .. } => task.stage == "slow",
            RunEvent::Finished { .. } => true,
            _ => false,
        };
        if counts && seen.fetch_add(1, Ordering::Relaxed) == 1 {
            *asked.lock().unwrap() = Some(Instant::now());
            interrupt.store(true, Ordering::Relaxed);
        }
    };
    let ran = project.run_watched(&interrupt, &watch).unwrap();
    let waited = asked.lock().unwrap().unwrap().elapsed();
    assert!(waited < Duration::from_secs(2), "{waited:?}");
    assert!(ran.summary.interrupted);
    assert_eq!((ran.summary.ran, ran.summary.not_reached), (1, 1));
    assert_eq!(project.record().outcome, Outcome::Interrupted);
    let temporary = fs_err::read_dir(project.root().join("store/.tmp")).unwrap().count();
    assert_eq!(temporary, 0);
}

#[test]
fn a_child_that_will_not_end_is_made_to() {
    let mut project = Project::new("[stages.a]\nkind = \"stubborn\"\n");
    let pid = project.path("pid");
    let text = format!(
        r#"if [ "$1" = describe ]; then
printf '%s' '{{"protocol":1,"kinds":[{{"kind":"stubborn","summary":"s","fingerprint":"1"}}]}}'
else
trap '' TERM
echo $$ > '{}'
while :; do sleep 0.1; done
fi"#,
        pid.display()
    );
    project.hosts = vec![project.script("host", &text)];
    let interrupt = AtomicBool::new(false);
    let asked = thread::scope(|scope| {
        let run = scope.spawn(|| project.try_run(&interrupt).unwrap());
        while !pid.exists() {
            thread::sleep(Duration::from_millis(10));
        }
        interrupt.store(true, Ordering::Relaxed);
        let asked = Instant::now();
        run.join().unwrap();
        asked.elapsed()
    });
    assert!(asked > Duration::from_secs(2) && asked < Duration::from_secs(5), "{asked:?}");
    let pid = fs_err::read_to_string(pid).unwrap();
    assert!(!std::path::Path::new("/proc").join(pid.trim()).exists());
}

#[test]
fn a_time_limit_fails_the_stage() {
    let mut project = hanging();
    project.edit("mood = \"hang\"", "mood = \"hang\"\n[stages.slow.resources]\ntime = \"1s\"");
    let ran = project.run();
    assert_eq!(ran.failure().code, "orchestrator::time_limit");
    assert!(ran.failure().message.contains("1 s"), "{:?}", ran.failure());
    assert_eq!(ran.summary.ran, 1);
}

#[test]
fn two_runs_that_need_the_same_compute_it_once() {
    let project = Project::new("[stages.a]\nkind = \"source\"\n");
    let (sender, waits) = mpsc::channel();
    let (sender, waits) = (Mutex::new(sender), Mutex::new(waits));
    let never = AtomicBool::new(false);
    let watch_second = |event: &RunEvent| {
        if matches!(event, RunEvent::Waiting { .. }) {
            sender.lock().unwrap().send(()).unwrap();
        }
    };
    let run_second = || project.run_watched(&never, &watch_second).unwrap();
    let second = Mutex::new(None);
    thread::scope(|scope| {
        // The first has the lock and is about to begin: it goes on when the second waits for it.
        let watch_first = |event: &RunEvent| {
            if matches!(event, RunEvent::Started { .. }) {
                let (sender, run) = mpsc::channel();
                *second.lock().unwrap() = Some(run);
                scope.spawn(move || sender.send(run_second()).unwrap());
                waits.lock().unwrap().recv_timeout(Duration::from_mins(1)).unwrap();
            }
        };
        let first = project.run_watched(&never, &watch_first).unwrap();
        let second = second.lock().unwrap().take().unwrap().recv().unwrap();
        assert_eq!(first.counts(), (1, 0));
        assert_eq!(second.counts(), (0, 1));
    });
    assert_eq!(project.label("a"), 0);
}

#[test]
fn garbage_is_not_collected_under_a_live_run() {
    let project = Project::new("[stages.a]\nkind = \"source\"\n");
    let said = Mutex::new(String::new());
    let watch = |event: &RunEvent| {
        if matches!(event, RunEvent::Started { .. }) {
            let busy = scarce_orchestrator::collect_garbage(&project.root(), &Garbage::default());
            *said.lock().unwrap() = busy.unwrap_err().to_string();
        }
    };
    let ran = project.run_watched(&AtomicBool::new(false), &watch).unwrap();
    assert!(ran.summary.is_success());
    assert!(said.lock().unwrap().contains("a run is using"));
    assert!(scarce_orchestrator::collect_garbage(&project.root(), &Garbage::default()).is_ok());
}

/// The orchestrator itself is killed: this very test, started again as a child process.
#[test]
fn a_killed_run_leaves_no_child_no_lock_and_a_whole_store() {
    const FOLDER: &str = "REHEARSAL_FOLDER";
    if let Some(folder) = std::env::var_os(FOLDER) {
        let mut project = hanging();
        project.folder = tempfile::Builder::new().disable_cleanup(true).tempdir_in(folder).unwrap();
        project.run();
        unreachable!("it hangs");
    }
    let folder = tempfile::tempdir().unwrap();
    let name = "interrupts::a_killed_run_leaves_no_child_no_lock_and_a_whole_store";
    let mut run = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name])
        .env(FOLDER, folder.path())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let job = wait_for(|| {
        find(folder.path(), "job.json").filter(|_| find(folder.path(), "quick").is_some())
    });
    run.kill().unwrap();
    run.wait().unwrap();
    // Its child ends with it: nobody has the job open any more.
    wait_for(|| (!is_running(&job)).then_some(()));

    let inside = fs_err::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
    let store = Store::open(&inside.join("artifacts")).unwrap();
    let session = store.session(&mut || panic!("a dead run holds a lock")).unwrap();
    assert!(session.is_some());
    assert_eq!(fs_err::read_dir(store.folder().join(".tmp")).unwrap().count(), 0);
    for (_, _, lookup) in store.list().unwrap() {
        let scarce_store::Lookup::Hit(entry) = lookup else { panic!("{lookup:?}") };
        assert!(store.verify(&entry).is_none());
    }
}

fn wait_for<T>(mut what: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(found) = what() {
            return found;
        }
        assert!(begin.elapsed() < Duration::from_secs(30), "it does not happen");
        thread::sleep(Duration::from_millis(10));
    }
}

/// A file or link of this name somewhere below.
fn find(folder: &std::path::Path, name: &str) -> Option<std::path::PathBuf> {
    for entry in fs_err::read_dir(folder).ok()?.flatten() {
        let path = entry.path();
        if path.file_name().is_some_and(|n| n == name) {
            return Some(path);
        }
        if entry.file_type().ok()?.is_dir()
            && let Some(found) = find(&path, name)
        {
            return Some(found);
        }
    }
    None
}

/// Whether a process was started with this argument.
fn is_running(argument: &std::path::Path) -> bool {
    let processes = fs_err::read_dir("/proc").unwrap().flatten();
    let has = |line: Vec<u8>| String::from_utf8_lossy(&line).contains(argument.to_str().unwrap());
    processes.filter_map(|p| fs_err::read(p.path().join("cmdline")).ok()).any(has)
}
