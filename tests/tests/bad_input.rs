//! Data that is not what it seems: a clear word, the place, the way out, and never a panic.
//!
//! What people see is kept in `snapshots/`; the rest is held to its words.

#![allow(clippy::unwrap_used)]

use scarce_tests::{Answer, Project, SMALL, files};

/// The pipeline as far as its images, which come from `SOURCE`.
const IMAGES: &str = r#"
[pipeline]
name = "bad"

[stages.images]
kind = "ingest"
SOURCE
"#;

/// Images that are fine, and what follows.
const FINE: &str = r#"
[pipeline]
name = "bad"

[stages.images]
kind = "ingest"
dataset = "digits"
limit = 40

"#;

fn images(source: &str) -> Project {
    Project::with(&IMAGES.replace("SOURCE", source))
}

fn fine(rest: &str) -> Project {
    Project::with(&format!("{FINE}{rest}"))
}

/// Runs, fails, and says these words.
#[track_caller]
fn fails(project: &Project, words: &[&str]) -> Answer {
    let answer = project.ask("run", &[]).ended(1).complains_of(words);
    let answer = answer.complains_of(&["failed", "help"]);
    assert!(!answer.stderr.contains("memory allocation"), "{answer}");
    answer
}

/// What a person sees: the folder is `[DIR]`, keys are left out, and so are the stages that went
/// well, which may end in any order.
fn seen(project: &Project, answer: &Answer) -> String {
    let folder = project.folder().to_string_lossy().into_owned();
    let text = answer.tidy_stderr().replace(&folder, "[DIR]");
    let went_well = |line: &&str| line.starts_with("    TIME  ") && !line.contains(" ran, ");
    text.lines().filter(|line| !went_well(line)).collect::<Vec<_>>().join("\n")
}

mod an_idx_file {
    use super::*;

    #[test]
    fn that_is_missing() {
        let project = images("path = \"nowhere.idx\"");
        let answer = project.ask("run", &[]).ended(2);
        answer.complains_of(&["`images`", "`path`", "nowhere.idx", "relative to its TOML file"]);
    }

    #[test]
    fn that_is_cut_short() {
        let project = images("path = \"a.idx\"");
        project.write("a.idx", files::idx(&[10, 8, 8], &[7; 500]));
        let answer = fails(&project, &["a.idx", "promises 656 bytes", "516", "ingest::truncated"]);
        insta::assert_snapshot!("truncated_idx", seen(&project, &answer));
    }

    #[test]
    fn that_lies_about_its_size() {
        let project = images("path = \"a.idx\"");
        project.write("a.idx", files::idx(&[u32::MAX, u32::MAX, u32::MAX], &[7; 64]));
        fails(&project, &["a.idx", "promises", "holds 80"]);
    }

    #[test]
    fn that_promises_more_than_all_memory_but_few_images() {
        let project = images("path = \"a.idx\"");
        project.write("a.idx", files::idx(&[1, 0xffff, 0xffff], &[7; 64]));
        fails(&project, &["a.idx"]);
    }

    #[test]
    fn that_goes_on_after_its_end() {
        let project = images("path = \"a.idx\"");
        project.write("a.idx", files::idx(&[1, 8, 8], &[7; 65]));
        fails(&project, &["a.idx", "ingest::trailing"]);
    }

    #[test]
    fn of_another_type() {
        let project = images("path = \"a.idx\"");
        let mut bytes = files::idx(&[1, 8, 8], &[7; 64]);
        bytes[2] = 0x0d;
        project.write("a.idx", bytes);
        fails(&project, &["a.idx", "0x0d", "unsigned bytes"]);
    }

    #[test]
    fn with_another_number_of_labels() {
        let project = images("path = \"a.idx\"\ntruth = \"t.idx\"");
        project.write("a.idx", files::idx(&[2, 8, 8], &[7; 128]));
        project.write("t.idx", files::idx(&[3], &[0, 1, 0]));
        fails(&project, &["a.idx", "t.idx", "2", "3", "do not belong together"]);
    }

    #[test]
    fn that_is_empty() {
        let project = images("path = \"a.idx\"");
        project.write("a.idx", "");
        fails(&project, &["a.idx"]);
    }
}

mod a_gzip_file {
    use super::*;

    #[test]
    fn that_is_cut_short() {
        let project = images("path = \"a.idx.gz\"");
        let packed = files::gzip(&files::idx(
            &[50, 8, 8],
            &(0..3200).map(|i| (i * i % 251) as u8).collect::<Vec<_>>(),
        ));
        project.write("a.idx.gz", &packed[..packed.len() / 2]);
        let answer = fails(&project, &["a.idx.gz", "beyond byte", "ingest::gzip"]);
        // How much of a cut file can be unpacked depends on the implementation of DEFLATE.
        let text = seen(&project, &answer);
        let words: Vec<&str> = text
            .split_inclusive(' ')
            .map(|word| {
                if word.starts_with(|c: char| c.is_ascii_digit()) && word.contains(':') {
                    "N: "
                } else {
                    word
                }
            })
            .collect();
        insta::assert_snapshot!("truncated_gzip", words.concat());
    }

    #[test]
    fn with_a_flipped_bit() {
        let project = images("path = \"a.idx.gz\"");
        let mut packed = files::gzip(&files::idx(&[50, 8, 8], &[7; 3200]));
        let end = packed.len() - 6;
        packed[end] ^= 1;
        project.write("a.idx.gz", packed);
        fails(&project, &["a.idx.gz"]);
    }
}

mod a_folder_of_pictures {
    use super::*;

    fn with(name: &str, bytes: Vec<u8>) -> Project {
        let project = images("path = \"pictures\"");
        project.write("pictures/a.png", files::png(8, 8, &files::square(0, 1)));
        project.write(&format!("pictures/{name}"), bytes);
        project
    }

    #[test]
    fn with_one_cut_short() {
        let mut png = files::png(8, 8, &files::square(0, 1));
        png.truncate(60);
        let project = with("b.png", png);
        let answer = fails(&project, &["b.png", "skip_unreadable", "ingest::image"]);
        insta::assert_snapshot!("truncated_png", seen(&project, &answer));
        let run = project.run(&["--set", "stages.images.skip_unreadable=true"]).ended(0);
        let warned = run.all("log").any(|event| event.to_string().contains("b.png"));
        assert!(warned, "{}", run.answer);
        assert_eq!(project.rows("bad/images/images.parquet").len(), 1);
    }

    #[test]
    fn with_one_of_absurd_size() {
        let project = with("b.png", files::png_that_promises(2_000_000_000, 2_000_000_000));
        fails(&project, &["b.png"]);
    }

    #[test]
    fn with_one_that_is_a_little_too_large() {
        let project = with("b.png", files::png_that_promises(60_000, 60_000));
        fails(&project, &["b.png"]);
    }

    #[test]
    fn of_different_sizes() {
        let project = with("b.png", files::png(4, 8, &[0; 32]));
        let answer = fails(&project, &["a.png", "8 × 8 grey", "b.png", "4 × 8 grey", "resize ="]);
        insta::assert_snapshot!("mixed_shapes", seen(&project, &answer));
    }

    #[test]
    fn with_no_picture_in_it() {
        let project = images("path = \"pictures\"");
        project.write("pictures/notes.txt", "nothing here");
        fails(&project, &["pictures", "ingest::empty"]);
    }
}

mod a_parquet_file {
    use super::*;

    #[test]
    fn that_is_none() {
        let project = images("path = \"a.parquet\"");
        project.write("a.parquet", "PAR1 but only at the beginning");
        let answer = fails(&project, &["a.parquet"]);
        insta::assert_snapshot!("not_parquet", seen(&project, &answer));
    }

    #[test]
    fn that_is_cut_short() {
        let project = images("path = \"b.parquet\"\nimage_column = \"pixels\"");
        let other = Project::with(SMALL);
        other.run(&["images"]).ended(0);
        let whole = fs_err::read(other.entry("small/images").join("images.parquet")).unwrap();
        project.write("b.parquet", &whole[..whole.len() - 100]);
        fails(&project, &["b.parquet"]);
    }

    #[test]
    fn without_the_column() {
        let project = images("path = \"b.parquet\"\nimage_column = \"pictures\"");
        let other = Project::with(SMALL);
        other.run(&["images"]).ended(0);
        let whole = fs_err::read(other.entry("small/images").join("images.parquet")).unwrap();
        project.write("b.parquet", whole);
        fails(&project, &["b.parquet", "`pictures`", "pixels"]);
    }

    #[test]
    fn shown_to_a_person() {
        let project = Project::new();
        project.write("a.parquet", "no");
        let answer = project.scarce(&["show", "a.parquet"]).ended(2);
        answer.complains_of(&["a.parquet", "Parquet"]);
    }
}

mod vectors {
    use super::*;

    fn vectors(bytes: Vec<u8>) -> Project {
        let source = "kind = \"ingest-embeddings\"\npath = \"x.npy\"";
        let project = Project::with(&format!("[pipeline]\nname = \"bad\"\n[stages.x]\n{source}\n"));
        project.write("x.npy", bytes);
        project
    }

    #[test]
    fn with_nan() {
        let mut rows = vec![vec![1.0, 2.0, 3.0]; 4];
        rows[2][1] = f32::NAN;
        let project = vectors(files::npy(&rows));
        let answer = fails(&project, &["x.npy", "row 2, element 1", "not a finite number"]);
        insta::assert_snapshot!("nan_in_an_embedding", seen(&project, &answer));
    }

    #[test]
    fn with_infinity() {
        let project = vectors(files::npy(&[vec![1.0, f32::INFINITY]]));
        fails(&project, &["x.npy", "row 0"]);
    }

    #[test]
    fn fewer_than_promised() {
        let mut bytes = files::npy(&vec![vec![1.0, 2.0]; 8]);
        bytes.truncate(bytes.len() - 5);
        fails(&vectors(bytes), &["x.npy", "ingest::truncated"]);
    }

    #[test]
    fn more_than_anybody_has() {
        let lies = files::npy_that_promises(99_999_999_999_999, 2, &[1.0, 2.0]);
        fails(&vectors(lies), &["x.npy", "ingest::truncated"]);
    }

    #[test]
    fn that_are_text() {
        fails(&vectors(b"1,2,3\n".to_vec()), &["x.npy"]);
    }
}

mod labels_of_ones_own {
    use super::*;

    const LABELS: &str = "[stages.pictures]\nkind = \"ingest\"\npath = \"pictures\"\n\
        [stages.labels]\nkind = \"labels\"\ninputs = { images = \"pictures\" }\npath = \"labels.csv\"\n";

    fn labels(csv: &str) -> Project {
        let project = Project::with(&format!("[pipeline]\nname = \"bad\"\n{LABELS}"));
        for (i, name) in ["a", "b", "c"].iter().enumerate() {
            let png = files::png(8, 8, &files::square(i % 2, i));
            project.write(&format!("pictures/{name}.png"), png);
        }
        project.write("labels.csv", csv);
        project
    }

    #[test]
    fn of_an_image_that_is_not_there() {
        let project = labels("file,label\na.png,x\nd.png,y\n");
        let answer = fails(&project, &["labels.csv", "line 3", "d.png"]);
        insta::assert_snapshot!("label_of_an_unknown_image", seen(&project, &answer));
    }

    #[test]
    fn that_contradict_each_other() {
        let project = labels("file,label\na.png,x\nb.png,y\na.png,y\n");
        let answer = fails(&project, &["labels.csv", "line 4", "a.png", "`x`", "`y`"]);
        insta::assert_snapshot!("two_classes_for_one_image", seen(&project, &answer));
    }

    #[test]
    fn without_a_column_of_classes() {
        fails(&labels("file,kind\na.png,x\n"), &["labels.csv", "label"]);
    }

    #[test]
    fn with_a_line_of_another_length() {
        fails(&labels("file,label\na.png,x\nb.png\n"), &["labels.csv", "line 3"]);
    }

    #[test]
    fn that_are_none() {
        fails(&labels("file,label\n"), &["labels.csv"]);
    }

    #[test]
    fn in_another_encoding() {
        let project = labels("");
        project.write("labels.csv", b"file,label\na.png,caf\xe9\n");
        fails(&project, &["labels.csv", "UTF-8"]);
    }
}

mod more_than_there_is {
    use super::*;

    #[test]
    fn clusters_than_images() {
        let project = fine(
            "[stages.pixels]\nkind = \"pixels\"\ninputs = { images = \"images\" }\n\
             [stages.clusters]\nkind = \"kmeans\"\ninputs = { features = \"pixels\" }\nclusters = 41\n",
        );
        let answer = fails(&project, &["`clusters` is 41", "only 40 images"]);
        insta::assert_snapshot!("more_clusters_than_images", seen(&project, &answer));
    }

    const BUDGET: &str = "[stages.labels]\nkind = \"budget\"\ninputs = { truth = \"images\", images = \"images\" }\n";

    #[test]
    fn labels_than_images() {
        let project = fine(&format!("{BUDGET}random = 41\n"));
        fails(&project, &["41", "40", "ingest::too_few"]);
    }

    #[test]
    fn labels_of_a_class_than_it_has() {
        let project = fine(&format!("{BUDGET}per_class = 30\n"));
        fails(&project, &["30", "ingest::too_few"]);
    }

    #[test]
    fn labels_of_a_class_that_has_no_image() {
        let text = IMAGES.replace("SOURCE", "path = \"pictures\"") + BUDGET + "per_class = 1\n";
        let project = Project::with(&text);
        project.write("pictures/cat/1.png", files::png(8, 8, &files::square(0, 1)));
        project.write("pictures/dog/2.png", files::png(8, 8, &files::square(1, 1)));
        fs_err::create_dir(project.path("pictures/eel")).unwrap();
        let answer = fails(&project, &["eel", "ingest::too_few"]);
        insta::assert_snapshot!("a_class_without_images", seen(&project, &answer));
    }

    #[test]
    fn neighbours_than_labels() {
        let project = fine(&format!(
            "{BUDGET}random = 5\n[stages.pixels]\nkind = \"pixels\"\ninputs = {{ images = \"images\" }}\n\
             [stages.knn]\nkind = \"knn\"\ninputs = {{ features = \"pixels\", labels = \"labels\" }}\nk = 6\n"
        ));
        let answer = fails(&project, &["`k` is 6", "5 labelled", "lower `k`"]);
        insta::assert_snapshot!("more_neighbours_than_labels", seen(&project, &answer));
    }

    #[test]
    fn ids_that_are_not_there() {
        let project = fine(&format!("{BUDGET}ids = [0, 4000000000]\n"));
        fails(&project, &["4000000000"]);
    }

    #[test]
    fn principal_components_than_pixels() {
        let project = fine(
            "[stages.pca]\nkind = \"pca\"\ninputs = { images = \"images\" }\ncomponents = 65\n",
        );
        fails(&project, &["65 components", "only 40"]);
    }
}
