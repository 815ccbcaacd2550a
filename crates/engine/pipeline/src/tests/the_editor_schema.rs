use serde_json::Value;

use super::{TEN_LABELS, kinds::catalogue};
use crate::json_schema;

fn accepts(text: &str) -> bool {
    let value: Value = serde_json::to_value(text.parse::<toml::Table>().unwrap()).unwrap();
    jsonschema::validator_for(&json_schema(&catalogue())).unwrap().is_valid(&value)
}

mod accepts {
    use super::*;

    #[test]
    fn what_resolves() {
        assert!(accepts(TEN_LABELS));
    }

    #[test]
    fn rounds() {
        assert!(accepts(super::super::rounds::ACTIVE));
    }

    #[test]
    fn axes_inside_tables() {
        assert!(accepts(&TEN_LABELS.replace("patience = 5", "patience = \"$seed\"")));
        assert!(accepts(&TEN_LABELS.replace("latent = 128", "layers = [\"$seed\", 3]")));
    }

    #[test]
    fn forms_that_a_tag_tells_apart() {
        let with =
            |schedule: &str| TEN_LABELS.replace("latent = 128", &format!("schedule = {schedule}"));
        assert!(accepts(&with("{ kind = \"step\", every = 3 }")));
        assert!(!accepts(&with("{ kind = \"step\" }")));
        assert!(!accepts(&with("{ kind = \"leap\" }")));
    }
}

mod refuses {
    use super::*;

    #[test]
    fn what_does_not_resolve() {
        let wrong = [
            ("latent = 128", "latnet = 128"),
            ("latent = 128", "latent = \"big\""),
            ("latent = 128", "latent = 5000"),
            ("kind = \"knn\"", "kind = \"nkk\""),
            ("k = 1", ""),
            ("patience = 5", "patience = \"five\""),
            ("{ from = 0, to = 3 }", "{ from = 0 }"),
            ("{ from = 0, to = 3 }", "[]"),
            ("[stages.report]", "[rounds]\ncount = 5\n[stages.report]"),
            ("[stages.report]", "[rounds.a]\ncount = 0\nstages = [\"knn\"]\n[stages.report]"),
            ("[stages.report]", "[rounds.a]\ncount = 2\nstages = []\n[stages.report]"),
            ("[stages.report]", "[rounds.a]\ncount = 2\n[stages.report]"),
            ("labels = \"labels\"", "labels = 3"),
            ("features = \"codes\", ", ""),
            ("[stages.knn]", "[stages.\"k n\"]"),
        ];
        for (right, wrong) in wrong {
            assert!(TEN_LABELS.contains(right));
            assert!(!accepts(&TEN_LABELS.replacen(right, wrong, 1)), "{wrong}");
        }
    }
}

mod tells_an_editor {
    use super::*;

    #[test]
    fn what_parameters_mean_and_default_to() {
        let schema = json_schema(&catalogue());
        let latent = &schema["$defs"]["kind:autoencoder"]["properties"]["latent"];
        assert_eq!(latent["description"], "Length of the code.");
        assert_eq!(latent["default"], 64);
    }
}
