//! The list.

/// A network that is known by name.
#[derive(Debug, PartialEq, Eq)]
pub struct KnownModel {
    /// Its name: also that of its folder.
    pub name: &'static str,
    /// One line for people.
    pub title: &'static str,
    /// Under which terms it may be used.
    pub licence: &'static str,
    /// Bytes of the network.
    pub bytes: u64,
    /// SHA-256 of the network.
    pub sha256: &'static str,
    /// Numbers in a vector.
    pub width: u32,
    /// The network's public address, of a fixed revision; none where there is no public one.
    pub address: Option<&'static str>,
    /// How pictures are prepared for it, as `preprocessor_config.json` says it.
    pub description: &'static str,
}

// Revisions, sizes and digests were found in public code, where independent projects pin the same ones
// (DINOv2 small in four, base in three, CLIP in two, SigLIP in one). None of these files was ever
// downloaded where this list was written.
static KNOWN: [KnownModel; 5] = [
    KnownModel {
        name: "dinov2-small",
        title: "DINOv2 ViT-S/14, learnt from 142 million images without labels",
        licence: "Apache-2.0 (Meta AI 2023)",
        bytes: 88_532_934,
        sha256: "f22797eabf810a75e41de68d378541ebea372122b25c4ce3ef25ff618250c20a",
        width: 384,
        address: Some(
            "https://huggingface.co/onnx-community/dinov2-small/resolve/8b1f705a3a7f6f062f6bdd21986c1583d3ef105d/onnx/model.onnx",
        ),
        description: include_str!("descriptions/dinov2.json"),
    },
    KnownModel {
        name: "dinov2-base",
        title: "DINOv2 ViT-B/14, learnt from 142 million images without labels",
        licence: "Apache-2.0 (Meta AI 2023)",
        bytes: 346_627_111,
        sha256: "320d1012a6fc65b101fc85ca30ee7a47b2e4f6a2e8bd78fb9d7036def0e30cb0",
        width: 768,
        address: Some(
            "https://huggingface.co/onnx-community/dinov2-base/resolve/31ef06cac16d5d301c5930d147002a058c85a5e4/onnx/model.onnx",
        ),
        description: include_str!("descriptions/dinov2.json"),
    },
    KnownModel {
        name: "clip-vit-b32",
        title: "CLIP ViT-B/32, image part, learnt from 400 million captioned images",
        licence: "MIT (OpenAI 2021)",
        bytes: 351_685_709,
        sha256: "fd6e1402a588279d1723c7534d4bcba5bc0b14b47dfab0e46f8c47b8270d7d40",
        width: 512,
        address: Some(
            "https://huggingface.co/Xenova/clip-vit-base-patch32/resolve/d15189d7028b43f1d3e65039190477f6af591c2a/onnx/vision_model.onnx",
        ),
        description: include_str!("descriptions/clip.json"),
    },
    KnownModel {
        name: "siglip-base",
        title: "SigLIP ViT-B/16, image part, learnt from captioned images",
        licence: "Apache-2.0 (Google 2023)",
        bytes: 371_819_850,
        sha256: "f89d41bac7f4d4b87e010a467d93f98689d708916ed22f5a07f96fdfa26f475f",
        width: 768,
        address: Some(
            "https://huggingface.co/Xenova/siglip-base-patch16-224/resolve/4649052661e53c7000355844105f8a1792088239/onnx/vision_model.onnx",
        ),
        description: include_str!("descriptions/siglip.json"),
    },
    KnownModel {
        name: "efficientnet-lite0",
        title: "EfficientNet-Lite0, learnt from the 1.3 million labelled images of ImageNet",
        licence: "Apache-2.0 (Google 2020)",
        bytes: 18_613_980,
        sha256: "3acdaf910407f58562d2f907113cd6214eaf1de469676ff554f78e24cc39deb3",
        width: 1280,
        address: None,
        description: include_str!("descriptions/efficientnet-lite0.json"),
    },
];

/// All known models.
pub fn known() -> &'static [KnownModel] {
    &KNOWN
}

/// The model of this name.
pub fn named(name: &str) -> Option<&'static KnownModel> {
    KNOWN.iter().find(|model| model.name == name)
}
