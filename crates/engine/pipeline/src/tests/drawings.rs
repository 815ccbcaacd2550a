use super::{TEN_LABELS, axis, resolve, resolve_with};
use crate::{dot, mermaid};

mod show_stages {
    use super::*;

    #[test]
    fn in_dot() {
        insta::assert_snapshot!(dot(&resolve(TEN_LABELS).unwrap(), false));
    }

    #[test]
    fn in_mermaid() {
        insta::assert_snapshot!(mermaid(&resolve(TEN_LABELS).unwrap(), false));
    }
}

mod show_tasks {
    use super::*;

    #[test]
    fn in_dot() {
        let pipeline = resolve_with(TEN_LABELS, &axis(&["seed=0..2", "architecture=conv"]));
        insta::assert_snapshot!(dot(&pipeline.unwrap(), true));
    }

    #[test]
    fn with_quotes_that_do_no_harm() {
        let text = "[axes]\nx = ['\"a\\b<c>']\n[stages.a]\nkind = 'ingest'\ndataset = '$x'";
        let pipeline = resolve(text).unwrap();
        assert!(dot(&pipeline, true).contains(r#"label="a [x=\"a%5Cb<c>]\ningest""#));
        assert!(mermaid(&pipeline, true).contains(r#"["a [x=&quot;a%5Cb&lt;c&gt;]<br/>ingest"]"#));
    }
}
