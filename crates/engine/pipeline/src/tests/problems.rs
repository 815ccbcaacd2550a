use scarce_stage::Description;
use serde_json::json;

use super::{TEN_LABELS, codes, problems, render, resolve};
use crate::{Catalogue, Document, Overrides, Pipeline};

mod of_the_file {
    use super::*;

    #[test]
    fn show_syntax() {
        insta::assert_snapshot!(problems("[pipeline]\nname = \"a\nx = 1\n"));
    }

    #[test]
    fn show_keys_that_are_there_twice() {
        insta::assert_snapshot!(problems("[stages.a]\nkind = \"ingest\"\nkind = \"ingest\"\n"));
    }

    #[test]
    fn show_unknown_tables() {
        insta::assert_snapshot!(problems(
            "[pipelin]\nname = \"a\"\n[pipeline]\nnam = \"b\"\n[stages.a]\nkind = \"histories\"\n"
        ));
    }

    #[test]
    fn show_what_json_has_not() {
        insta::assert_snapshot!(problems(
            "[stages.a]\nkind = \"ingest\"\ndataset = 2020-01-01\nfolder = nan\n"
        ));
    }

    #[test]
    fn show_names_that_cannot_be_folders() {
        insta::assert_snapshot!(problems(
            "[pipeline]\nname = \"../up\"\n[stages.\"a b\"]\nkind = \"histories\"\n[stages._]\nkind = \"histories\"\n"
        ));
    }

    #[test]
    fn show_no_more_of_a_long_line_than_is_read() {
        let long = "x".repeat(1 << 20);
        for text in [
            format!("stages.a = {{ kind = 'ingest', dataset = '{long}', foldr = '{long}' }}"),
            format!("stages.a = {{ kind = '{long}' }}"),
            format!("stages.{long} = {{ kind = 'nothing' }}"),
            format!("[stages.a]\nkind = 'ingest'\ndataset = 'ä{long}'\nbroken = = '{long}'"),
            format!("stages.a = {{ kind = 'knn', k = '{long}' }}"),
            format!(
                "stages.a = {{ kind = 'autoencoder', loss = '{long}', inputs = {{ images = '{long}' }} }}"
            ),
            format!("axes.a = ['{long}', '{long}']\nstages.b.kind = '{long}'"),
        ] {
            let error = resolve(&text).unwrap_err();
            let (shown, json) = (render(&error), serde_json::to_string(&error).unwrap());
            assert!(shown.len() < 40_000, "{} bytes: {}", shown.len(), &shown[..2000]);
            assert!(json.len() < 20_000, "{} bytes", json.len());
        }
        let text = format!("stages.a = {{ kind = 'knn', note = '{long}', k = 'one' }}");
        let error = resolve(&text).unwrap_err();
        let shown = render(&error.problems()[error.problems().len() - 1]);
        assert!(shown.contains("k = 'one' }") && shown.contains(":1:1048619]"), "{shown}");
    }

    #[test]
    fn show_nesting_without_end() {
        let deep = 50_000;
        for text in [
            format!("a = {}{}", "[".repeat(deep), "]".repeat(deep)),
            format!("a = {}", "{b=".repeat(deep)),
            format!("{} = 1", vec!["a"; deep].join(".")),
            format!("[{}]\nb = 1", vec!["a"; deep].join(".")),
            format!("[stages.a]\nkind = 'ingest'\n{} = 1", vec!["a"; deep].join(".")),
        ] {
            let error = resolve(&text).unwrap_err();
            assert!(render(&error).len() < 40_000);
        }
    }

    #[test]
    fn show_circles_of_any_length() {
        use std::fmt::Write;
        let many = 20_000;
        let mut text = String::new();
        for i in 0..many {
            let from = (i + 1) % many;
            write!(text, "[stages.s{i}]\nkind = 'relabel'\n").unwrap();
            writeln!(text, "inputs = {{ predictions = 's{from}' }}").unwrap();
        }
        let error = resolve(&text).unwrap_err();
        assert!(codes(&error).contains(&"pipeline::cycle".to_owned()));
        assert!(render(&error).len() < 200_000);
    }

    #[test]
    fn show_files_that_are_too_large() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("large.toml");
        fs_err::write(&path, "#".repeat((4 << 20) + 1)).unwrap();
        let error = Document::read(&path).unwrap_err();
        assert_eq!(codes(&error), ["pipeline::too_large"]);
        fs_err::write(&path, "#".repeat(4 << 20)).unwrap();
        assert!(Document::read(&path).is_ok());
        assert_eq!(
            codes(&Document::read("/dev/zero".as_ref()).unwrap_err()),
            ["pipeline::too_large"]
        );
        fs_err::write(&path, b"\xff").unwrap();
        let error = Document::read(&path).unwrap_err();
        assert!(error.to_string().contains("UTF-8") && error.to_string().contains("large.toml"));
    }

    /// Otherwise its run would end without a record.
    #[test]
    fn show_names_that_are_not_text() {
        use std::os::unix::ffi::OsStrExt;
        let path = std::path::Path::new(std::ffi::OsStr::from_bytes(b"/house/tri\xffal.toml"));
        let text = "[pipeline]\nname = 'a'\nstages.a.kind = 'nothing'".to_owned();
        let error = Document::parse(path, text).unwrap_err();
        assert_eq!(codes(&error), ["pipeline::name_not_text"]);
    }

    #[test]
    fn show_an_empty_file() {
        assert_eq!(codes(&resolve("").unwrap_err()), ["pipeline::no_stages"]);
        assert_eq!(codes(&resolve("[stages]").unwrap_err()), ["pipeline::no_stages"]);
        assert_eq!(codes(&resolve("stages = 3").unwrap_err()), ["pipeline::wrong_type"]);
    }

    #[test]
    fn show_hosts_that_are_no_programs() {
        let error = resolve("[pipeline]\nhosts = [3, '']").unwrap_err();
        assert_eq!(codes(&error), ["pipeline::wrong_type"; 2]);
    }
}

mod of_a_stage {
    use super::*;

    #[test]
    fn show_unknown_kinds() {
        insta::assert_snapshot!(problems(
            "[stages.a]\nkind = \"autoencodr\"\n[stages.b]\nkind = \"zebra\"\n[stages.c]\n"
        ));
    }

    #[test]
    fn show_what_is_no_stage() {
        let error = resolve("[stages]\na = 3\nb.kind = 4\nc = { kind = 'histories', inputs = 3, collect = 'x', resources = 1 }").unwrap_err();
        assert_eq!(codes(&error), ["pipeline::wrong_type"; 5]);
    }

    #[test]
    fn show_resources() {
        insta::assert_snapshot!(problems(
            "[stages.a]\nkind = \"histories\"\n[stages.a.resources]\nthreads = 0\nmemory = \"4 apples\"\ntime = \"soon\"\ngpu = 1\nthread = 2\n"
        ));
    }

    #[test]
    fn show_kinds_with_a_broken_schema() {
        let mut broken = Description::new("broken", "A host's mistake");
        broken.params = json!({ "type": "objectt" });
        let mut circular = Description::new("circular", "Another");
        circular.params = json!({
            "$defs": { "a": { "properties": { "a": { "$ref": "#/$defs/a", "default": {} } } } },
            "$ref": "#/$defs/a",
        });
        let catalogue = Catalogue::new([broken, circular]);
        let text = "[stages.a]\nkind = 'broken'".to_owned();
        let document = Document::parse("/house/trial.toml".as_ref(), text).unwrap();
        let error = Pipeline::resolve(&document, &catalogue, &Overrides::default()).unwrap_err();
        assert_eq!(codes(&error), ["pipeline::bad_schema"]);
        let text = "[stages.a]\nkind = 'circular'".to_owned();
        let document = Document::parse("/house/trial.toml".as_ref(), text).unwrap();
        // Endless defaults are cut, not followed.
        assert!(Pipeline::resolve(&document, &catalogue, &Overrides::default()).is_ok());
    }
}

mod as_json {
    use super::*;

    #[test]
    fn have_code_place_and_help() {
        let text = TEN_LABELS.replace("k = 1", "kk = 1");
        let error = resolve(&text).unwrap_err();
        let json = serde_json::to_value(&error).unwrap();
        assert_eq!(
            json[0],
            json!({
                "code": "pipeline::missing_key",
                "severity": "error",
                "message": "the stage `knn` of kind `knn` lacks `k`",
                "file": "/house/trial.toml",
                "line": 32,
                "column": 9,
                "help": "`k`: Neighbours that vote.",
            })
        );
        assert_eq!(json[1]["code"], "pipeline::unknown_key");
        assert_eq!(json[1]["help"], "did you mean `k`?");
        assert_eq!(json[1]["line"], 34);
    }

    #[test]
    fn count_columns_in_characters() {
        let error = resolve("stages.a = { kind = 'histories', note = 'ä', x = 1 }").unwrap_err();
        let columns: Vec<_> =
            error.problems().iter().filter_map(crate::Problem::position).collect();
        assert_eq!(columns, [(1, 34), (1, 46)]);
    }

    #[test]
    fn are_not_endless() {
        use std::fmt::Write;
        let mut text = String::new();
        for i in 0..1000 {
            write!(text, "[stages.s{i}]\nkind = 'nothing'\n").unwrap();
        }
        assert_eq!(resolve(&text).unwrap_err().problems().len(), 100);
    }
}
