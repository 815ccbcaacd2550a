use std::{collections::HashMap, io::Write as _};

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::{
    Error,
    labels::{agreement, labelled},
};

fn image(place: u32) -> ImageRef {
    ImageRef { file: place.to_string(), blake3: format!("{place:064x}") }
}

fn locate(image: &ImageRef) -> Option<u32> {
    image.file.parse().ok()
}

fn entry(by: &str, act: &str, what: What) -> Entry {
    Entry { time: Timestamp::UNIX_EPOCH, act: act.to_owned(), by: by.to_owned(), what }
}

fn label(by: &str, act: &str, place: u32, class: &str) -> Entry {
    let class = class.to_owned();
    let what =
        What::Label { image: image(place), class, mode: Mode::One, guess: None, audit: false };
    entry(by, act, what)
}

fn undo(by: &str, act: &str, of: &str) -> Entry {
    entry(by, act, What::Undo { of: of.to_owned() })
}

fn ledger(entries: impl IntoIterator<Item = Entry>) -> Ledger {
    let mut ledger = Ledger::default();
    entries.into_iter().for_each(|entry| ledger.add(entry, locate));
    ledger
}

fn classes(ledger: &Ledger, rule: &WhoWins) -> HashMap<u32, String> {
    labelled(ledger, rule).into_iter().map(|(place, class, _)| (place, class)).collect()
}

mod a_journal {
    use super::*;

    #[test]
    fn gives_back_what_was_appended() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("j.jsonl");
        let (mut journal, none) = Journal::open(&path).unwrap();
        assert!(none.is_empty());
        let given = [label("a", "1", 3, "cat"), undo("a", "2", "1")];
        assert_eq!(journal.append(&given).unwrap(), given);
        let (again, read) = Journal::open(&path).unwrap();
        assert_eq!(read, given);
        assert_eq!(again.audit_seed(), journal.audit_seed());
    }

    #[test]
    fn of_two_processes_holds_the_lines_of_both_and_each_sees_the_others() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("j.jsonl");
        let (mut one, _) = Journal::open(&path).unwrap();
        let (mut other, _) = Journal::open(&path).unwrap();
        let (a, b) = (label("a", "1", 1, "cat"), label("b", "2", 1, "dog"));
        one.append(std::slice::from_ref(&a)).unwrap();
        assert_eq!(other.append(std::slice::from_ref(&b)).unwrap(), [a.clone(), b.clone()]);
        assert_eq!(one.refresh().unwrap(), [b]);
        assert!(one.refresh().unwrap().is_empty());
    }

    #[test]
    fn of_many_threads_loses_and_mixes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("j.jsonl");
        std::thread::scope(|scope| {
            for by in 0..4 {
                let path = &path;
                scope.spawn(move || {
                    let (mut journal, _) = Journal::open(path).unwrap();
                    for at in 0..25 {
                        let (by, act) = (by.to_string(), format!("{by}-{at}"));
                        journal.append(&[label(&by, &act, at, "x")]).unwrap();
                    }
                });
            }
        });
        let (_, entries) = Journal::open(&path).unwrap();
        assert_eq!(entries.len(), 100);
        for by in 0..4 {
            let acts = entries.iter().filter(|e| e.by == by.to_string()).map(|e| e.act.clone());
            let wanted: Vec<String> = (0..25).map(|at| format!("{by}-{at}")).collect();
            assert_eq!(acts.collect::<Vec<_>>(), wanted);
        }
    }

    #[test]
    fn that_is_something_else_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("labels.csv");
        fs_err::write(&path, "file,label\na.png,cat\n").unwrap();
        assert!(matches!(Journal::open(&path), Err(Error::NoJournal { .. })));
        assert_eq!(fs_err::read_to_string(&path).unwrap(), "file,label\na.png,cat\n");
        fs_err::write(&path, "{\"scarce_labels\":2,\"audit_seed\":1}\n").unwrap();
        let error = Journal::open(&path).unwrap_err();
        assert!(error.to_string().contains("version 2"), "{error}");
    }

    #[test]
    fn names_the_line_that_is_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("j.jsonl");
        let (mut journal, _) = Journal::open(&path).unwrap();
        journal.append(&[label("a", "1", 1, "cat"), label("a", "2", 2, "cat")]).unwrap();
        let text = fs_err::read_to_string(&path).unwrap();
        fs_err::write(&path, text.replacen("\"what\"", "\"whit\"", 1)).unwrap();
        assert!(matches!(Journal::open(&path), Err(Error::Line { line: 2, .. })));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn that_is_no_file_is_refused_before_it_is_read() {
        // It would go on for ever.
        let opened = Journal::open(std::path::Path::new("/dev/full"));
        assert!(matches!(opened, Err(Error::NoJournal { .. })));
    }

    proptest! {
        /// Killed in the middle of a write: every line that was acknowledged is there, and the next one
        /// is whole.
        #[test]
        fn cut_off_anywhere_keeps_every_whole_line(count in 1_usize..6, cut in 1_usize..400) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("j.jsonl");
            let (mut journal, _) = Journal::open(&path).unwrap();
            let given: Vec<Entry> =
                (0..count).map(|at| label("a", &at.to_string(), at as u32, "ä")).collect();
            journal.append(&given).unwrap();
            drop(journal);
            let whole = fs_err::read(&path).unwrap();
            let torn = serde_json::to_vec(&label("a", "torn", 9, "ä")).unwrap();
            let torn = &torn[..cut.min(torn.len())];
            let mut file = fs_err::OpenOptions::new().append(true).open(&path).unwrap();
            file.write_all(torn).unwrap();
            let (mut journal, read) = Journal::open(&path).unwrap();
            let complete = serde_json::from_slice::<Entry>(torn).is_ok();
            prop_assert_eq!(read.len(), count + usize::from(complete));
            prop_assert_eq!(&read[..count], &given[..]);
            if !complete {
                prop_assert_eq!(fs_err::read(&path).unwrap(), whole);
            }
            journal.append(&[label("a", "next", 1, "b")]).unwrap();
            let (_, read) = Journal::open(&path).unwrap();
            prop_assert_eq!(read.last().map(|e| e.act.as_str()), Some("next"));
        }

        /// Whatever is done and undone, what is left is what was done and not undone, in order.
        #[test]
        fn replayed_is_what_was_done_less_what_was_undone(
            steps in proptest::collection::vec((0_u32..5, 0_u8..3, 0_u8..4), 0..60)
        ) {
            let mut ledger = Ledger::default();
            let mut stands: Vec<(u32, String, String)> = Vec::new();
            for (at, (place, class, kind)) in steps.into_iter().enumerate() {
                let act = at.to_string();
                if kind == 0 {
                    let last = ledger.last_act("a").map(|(act, _)| act.clone());
                    prop_assert_eq!(last.as_ref(), stands.last().map(|(_, _, act)| act));
                    if let Some(last) = last {
                        ledger.add(undo("a", &act, &last), locate);
                        stands.pop();
                    }
                } else {
                    ledger.add(label("a", &act, place, &class.to_string()), locate);
                    stands.push((place, class.to_string(), act));
                }
            }
            let mut wanted = HashMap::new();
            for (place, class, _) in stands {
                wanted.insert(place, class);
            }
            prop_assert_eq!(classes(&ledger, &WhoWins::Last), wanted);
        }
    }
}

mod a_ledger {
    use super::*;

    #[test]
    fn keeps_both_of_two_who_disagree_and_lets_a_rule_decide() {
        let ledger = ledger([
            label("ann", "1", 1, "cat"),
            label("bob", "2", 1, "dog"),
            label("cid", "3", 1, "cat"),
            label("bob", "4", 1, "cow"),
        ]);
        assert_eq!(ledger.opinions(1).len(), 3);
        for (rule, class) in [
            ("last", "cow"),
            ("first", "cat"),
            ("majority", "cat"),
            ("bob", "cow"),
            ("ann", "cat"),
            ("nobody", "cow"),
        ] {
            assert_eq!(classes(&ledger, &WhoWins::parse(rule))[&1], class, "{rule}");
        }
    }

    #[test]
    fn reports_how_far_annotators_agree() {
        let ledger = ledger([
            label("ann", "1", 1, "cat"),
            label("bob", "2", 1, "cat"),
            label("ann", "3", 2, "dog"),
            label("bob", "4", 2, "cat"),
            label("ann", "5", 3, "dog"),
            label("bob", "6", 3, "dog"),
            label("bob", "7", 4, "dog"),
        ]);
        let found = agreement(&ledger);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].both, found[0].same), (3, 2));
        // (2/3 − 4/9) / (1 − 4/9)
        assert!((found[0].kappa.unwrap() - 0.4).abs() < 1e-9);
    }

    #[test]
    fn takes_back_all_pictures_of_an_act_at_once_and_only_ones_own() {
        let mut ledger = ledger([
            label("ann", "1", 1, "cat"),
            label("ann", "2", 1, "dog"),
            label("ann", "2", 2, "dog"),
            label("bob", "3", 3, "dog"),
        ]);
        let (act, pictures) = ledger.last_act("ann").unwrap();
        assert_eq!((act.as_str(), pictures), ("2", &[1, 2][..]));
        ledger.add(undo("ann", "4", "2"), locate);
        let left = classes(&ledger, &WhoWins::Last);
        assert_eq!(left, HashMap::from([(1, "cat".to_owned()), (3, "dog".to_owned())]));
        assert_eq!(ledger.latest("ann", 5).len(), 1);
    }

    #[test]
    fn counts_lines_about_pictures_that_are_gone() {
        let mut ledger = Ledger::default();
        ledger.add(label("a", "1", 1, "cat"), |_| None);
        assert_eq!((ledger.lost(), ledger.classes().len()), (1, 1));
    }
}
