//! Descriptions of preprocessing, as Hugging Face and timm write them.

use std::path::Path;

use scarce_pictures::Filter;
use serde_json::{Map, Value};

use super::{Middle, Recipe, Resize, Size};
use crate::{Error, Result};

/// A description longer than this is none.
const MAX_BYTES: u64 = 1 << 20;
/// Hugging Face's file.
const HUGGING_FACE: &str = "preprocessor_config.json";
/// timm's file.
const TIMM: &str = "config.json";

/// The description in a model's folder, if there is one: Hugging Face's first.
pub(crate) fn read_folder(folder: &Path) -> Result<Option<Recipe>> {
    let path = folder.join(HUGGING_FACE);
    if path.is_file() {
        return read(&path).map(Some);
    }
    let path = folder.join(TIMM);
    if path.is_file() && object(&path)?.contains_key("pretrained_cfg") {
        return read(&path).map(Some);
    }
    Ok(None)
}

/// The description in one file, by whichever of the two wrote it.
pub(crate) fn read(path: &Path) -> Result<Recipe> {
    let config = object(path)?;
    let reader = |config| Reader { path, config };
    match config.get("pretrained_cfg") {
        Some(Value::Object(inner)) => reader(inner).timm(),
        Some(_) => Err(Error::preprocessing(path, "`pretrained_cfg` is no object", COPY)),
        None if config.contains_key("crop_pct") && config.contains_key("input_size") => {
            reader(&config).timm()
        }
        None => reader(&config).hugging_face(),
    }
}

const COPY: &str = "copy the file again from where the model comes from";
const OTHERWISE: &str = "leave `preprocessor_config.json` out and say it all in `preprocessing = { … }`, if this step \
     can be done without";

fn object(path: &Path) -> Result<Map<String, Value>> {
    if fs_err::metadata(path)?.len() > MAX_BYTES {
        return Err(Error::preprocessing(path, "it is too large for a description", COPY));
    }
    match serde_json::from_slice(&fs_err::read(path)?) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(Error::preprocessing(path, "it is no JSON object", COPY)),
        Err(error) => Err(Error::preprocessing(path, format!("it is no JSON: {error}"), COPY)),
    }
}

/// One object of a file.
struct Reader<'a> {
    path: &'a Path,
    config: &'a Map<String, Value>,
}

/// Keys that say nothing about what is done to one RGB image, or only what is done anyway.
const WITHOUT_EFFECT: [&str; 19] = [
    "image_processor_type",
    "feature_extractor_type",
    "processor_class",
    "_processor_class",
    "_valid_processor_keys",
    "_name_or_path",
    "auto_map",
    "transformers_version",
    "do_convert_rgb",
    "default_to_square",
    "use_square_size",
    "input_data_format",
    "data_format",
    "return_tensors",
    "device",
    "disable_grouping",
    "size_divisor",
    "size_divisibility",
    "pad_size",
];

/// Keys that are read below.
const READ: [&str; 12] = [
    "do_resize",
    "size",
    "resample",
    "do_center_crop",
    "crop_size",
    "do_rescale",
    "rescale_factor",
    "do_normalize",
    "image_mean",
    "image_std",
    "crop_pct",
    "offset",
];

impl Reader<'_> {
    fn refuse<T>(&self, message: String) -> Result<T> {
        Err(Error::preprocessing(self.path, message, OTHERWISE))
    }

    fn hugging_face(&self) -> Result<Recipe> {
        for (key, value) in self.config {
            let known = READ.contains(&key.as_str()) || WITHOUT_EFFECT.contains(&key.as_str());
            // A step that is switched off, or a setting that is not set.
            let idle = matches!(value, Value::Null | Value::Bool(false));
            if !known && !idle {
                return self.refuse(format!("the setting `{key} = {value}` is not understood"));
            }
        }
        if self.flag("offset", false)? {
            return self.refuse("`offset = true` is not understood".to_owned());
        }
        let crop = if self.flag("do_center_crop", false)? {
            Some(self.size_of("crop_size")?)
        } else {
            None
        };
        let resize = if self.flag("do_resize", true)? {
            self.hugging_face_resize(crop.is_some())?
        } else {
            Resize::None
        };
        let resample = match self.config.get("resample") {
            None | Some(Value::Null) if resize != Resize::None => {
                return self.refuse("it does not say how to resample".to_owned());
            }
            None | Some(Value::Null) => Filter::Bicubic,
            Some(value) => self.resample(value)?,
        };
        let rescale_factor = if self.flag("do_rescale", true)? {
            self.number("rescale_factor")?.unwrap_or(1.0 / 255.0)
        } else {
            1.0
        };
        let (mean, std) = if self.flag("do_normalize", true)? {
            (self.three("image_mean")?, self.three("image_std")?)
        } else {
            ([0.0; 3], [1.0; 3])
        };
        let middle = Middle::Down;
        Ok(Recipe { resize, resample, crop, middle, rescale_factor, mean, std })
    }

    /// `size` is an object, or in old files a number, which means one thing or another.
    fn hugging_face_resize(&self, crops: bool) -> Result<Resize> {
        let kind = ["image_processor_type", "feature_extractor_type"]
            .iter()
            .find_map(|key| self.config.get(*key)?.as_str())
            .unwrap_or_default();
        if self.config.contains_key("crop_pct") {
            return self.convnext(kind);
        }
        match self.config.get("size") {
            Some(Value::Object(size)) => {
                if let (Some(edge), 1) = (size.get("shortest_edge"), size.len()) {
                    return Ok(Resize::ShortestEdge(self.side("size.shortest_edge", edge)?));
                }
                self.size_of("size").map(Resize::Exact)
            }
            Some(number @ Value::Number(_)) if kind.starts_with("CLIP") && crops => {
                Ok(Resize::ShortestEdge(self.side("size", number)?))
            }
            Some(Value::Number(_)) if kind.starts_with("ViT") || kind.starts_with("DeiT") => {
                self.size_of("size").map(Resize::Exact)
            }
            Some(other) => self.refuse(format!("`size = {other}` is not understood")),
            None => self.refuse("it does not say which `size` images are resized to".to_owned()),
        }
    }

    /// `ConvNeXT`'s: below 384 pixels a larger picture, of which the middle is taken; not so from 384.
    fn convnext(&self, kind: &str) -> Result<Resize> {
        self.refuse(format!(
            "`crop_pct` of `{kind}` is not understood: give `shortest_edge` (the size divided by \
             `crop_pct`), `crop`, `resample`, `mean` and `std` instead"
        ))
    }

    fn timm(&self) -> Result<Recipe> {
        let Some([channels, height, width]) = self.list("input_size")?.as_deref().and_then(three)
        else {
            return self.refuse("`input_size` is not three numbers".to_owned());
        };
        if channels != 3.0 {
            return self.refuse(format!("its images have {channels} channels, not 3"));
        }
        let whole = |side: f64| (side.fract() == 0.0 && side > 0.0).then_some(side as u32);
        let (Some(height), Some(width)) = (whole(height), whole(width)) else {
            return self.refuse("`input_size` is not whole".to_owned());
        };
        let crop_pct = self.number("crop_pct")?.unwrap_or(0.875);
        if !(crop_pct > 0.0 && crop_pct <= 1.0) {
            return self.refuse(format!("`crop_pct` is {crop_pct}"));
        }
        let scaled = |side: u32| (f64::from(side) / crop_pct).floor() as u32;
        let mode = self.config.get("crop_mode").and_then(Value::as_str).unwrap_or("center");
        let resize = match mode {
            "center" if height == width => Resize::ShortestEdge(scaled(height)),
            "squash" => Resize::Exact(Size { height: scaled(height), width: scaled(width) }),
            _ => return self.refuse(format!("`crop_mode = {mode}` is not understood")),
        };
        let Some(interpolation) = self.config.get("interpolation") else {
            return self.refuse("it does not say which `interpolation` is meant".to_owned());
        };
        Ok(Recipe {
            resize,
            resample: self.resample(interpolation)?,
            crop: Some(Size { height, width }),
            middle: Middle::HalfEven,
            rescale_factor: 1.0 / 255.0,
            mean: self.three("mean")?,
            std: self.three("std")?,
        })
    }

    fn flag(&self, key: &str, otherwise: bool) -> Result<bool> {
        match self.config.get(key) {
            None | Some(Value::Null) => Ok(otherwise),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(other) => self.refuse(format!("`{key} = {other}` is neither true nor false")),
        }
    }

    fn number(&self, key: &str) -> Result<Option<f64>> {
        match self.config.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => match value.as_f64() {
                Some(number) => Ok(Some(number)),
                None => self.refuse(format!("`{key} = {value}` is no number")),
            },
        }
    }

    fn side(&self, key: &str, value: &Value) -> Result<u32> {
        match value.as_u64().and_then(|side| u32::try_from(side).ok()) {
            Some(side) => Ok(side),
            None => self.refuse(format!("`{key} = {value}` is no number of pixels")),
        }
    }

    /// `{ "height": …, "width": … }`, or one number for a square.
    fn size_of(&self, key: &str) -> Result<Size> {
        match self.config.get(key) {
            Some(Value::Object(size)) if size.len() == 2 => {
                if let (Some(height), Some(width)) = (size.get("height"), size.get("width")) {
                    let (height, width) = (self.side(key, height)?, self.side(key, width)?);
                    return Ok(Size { height, width });
                }
            }
            Some(number @ Value::Number(_)) => {
                let side = self.side(key, number)?;
                return Ok(Size { height: side, width: side });
            }
            _ => {}
        }
        let found = self.config.get(key).unwrap_or(&Value::Null);
        self.refuse(format!("`{key} = {found}` is not understood"))
    }

    fn list(&self, key: &str) -> Result<Option<Vec<f64>>> {
        let Some(value) = self.config.get(key) else { return Ok(None) };
        let numbers: Option<Vec<f64>> =
            value.as_array().and_then(|list| list.iter().map(Value::as_f64).collect());
        match numbers {
            Some(numbers) => Ok(Some(numbers)),
            None => self.refuse(format!("`{key} = {value}` is no list of numbers")),
        }
    }

    fn three(&self, key: &str) -> Result<[f64; 3]> {
        match self.list(key)?.as_deref().and_then(three) {
            Some(numbers) => Ok(numbers),
            None => self.refuse(format!("`{key}` is not three numbers: red, green, blue")),
        }
    }

    /// Pillow's numbers, or timm's words.
    fn resample(&self, value: &Value) -> Result<Filter> {
        match (value.as_u64(), value.as_str()) {
            (Some(0), _) | (_, Some("nearest")) => Ok(Filter::Nearest),
            (Some(1), _) | (_, Some("lanczos")) => Ok(Filter::Lanczos),
            (Some(2), _) | (_, Some("bilinear")) => Ok(Filter::Bilinear),
            (Some(3), _) | (_, Some("bicubic")) => Ok(Filter::Bicubic),
            (Some(4), _) | (_, Some("box")) => Ok(Filter::Box),
            (Some(5), _) | (_, Some("hamming")) => Ok(Filter::Hamming),
            _ => self.refuse(format!("the filter {value} is not understood")),
        }
    }
}

fn three(numbers: &[f64]) -> Option<[f64; 3]> {
    numbers.try_into().ok()
}

#[cfg(test)]
mod tests {
    use miette::Diagnostic;

    use super::*;

    fn read_text(text: &str) -> Result<Recipe> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(HUGGING_FACE);
        fs_err::write(&path, text).unwrap();
        read(&path)
    }

    const DINO: &str = r#"{"crop_size": {"height": 224, "width": 224}, "do_center_crop": true,
        "do_convert_rgb": true, "do_normalize": true, "do_rescale": true, "do_resize": true,
        "image_mean": [0.485, 0.456, 0.406], "image_processor_type": "BitImageProcessor",
        "image_std": [0.229, 0.224, 0.225], "resample": 3,
        "rescale_factor": 0.00392156862745098, "size": {"shortest_edge": 256}}"#;
    const SIGLIP: &str = r#"{"do_normalize": true, "do_rescale": true, "do_resize": true,
        "do_convert_rgb": null, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5],
        "image_processor_type": "SiglipImageProcessor", "processor_class": "SiglipProcessor",
        "resample": 3, "rescale_factor": 0.00392156862745098,
        "size": {"height": 224, "width": 224}}"#;
    const OLD_CLIP: &str = r#"{"crop_size": 224, "do_center_crop": true, "do_normalize": true,
        "do_resize": true, "feature_extractor_type": "CLIPFeatureExtractor",
        "image_mean": [0.48145466, 0.4578275, 0.40821073],
        "image_std": [0.26862954, 0.26130258, 0.27577711], "resample": 3, "size": 224}"#;
    const TIMM_VIT: &str = r#"{"architecture": "vit_small_patch14_dinov2", "num_classes": 0,
        "pretrained_cfg": {"tag": "lvd142m", "input_size": [3, 518, 518], "interpolation":
        "bicubic", "crop_pct": 1.0, "crop_mode": "center", "mean": [0.485, 0.456, 0.406],
        "std": [0.229, 0.224, 0.225], "num_classes": 0}}"#;

    #[test]
    fn the_four_forms_in_use_are_read() {
        let dino = read_text(DINO).unwrap();
        assert_eq!(dino.resize, Resize::ShortestEdge(256));
        assert_eq!(dino.crop, Some(Size { height: 224, width: 224 }));
        assert_eq!((dino.resample, dino.middle), (Filter::Bicubic, Middle::Down));
        assert_eq!(dino.mean[0], 0.485);
        let siglip = read_text(SIGLIP).unwrap();
        assert_eq!(siglip.resize, Resize::Exact(Size { height: 224, width: 224 }));
        assert_eq!(siglip.crop, None);
        let clip = read_text(OLD_CLIP).unwrap();
        assert_eq!(clip.resize, Resize::ShortestEdge(224));
        assert_eq!(clip.rescale_factor, 1.0 / 255.0);
        let timm = read_text(TIMM_VIT).unwrap();
        assert_eq!(timm.resize, Resize::ShortestEdge(518));
        assert_eq!(timm.middle, Middle::HalfEven);
        let smaller =
            TIMM_VIT.replace("518", "224").replace("\"crop_pct\": 1.0", "\"crop_pct\": 0.9");
        // floor(224 / 0.9)
        assert_eq!(read_text(&smaller).unwrap().resize, Resize::ShortestEdge(248));
    }

    #[test]
    fn what_is_not_understood_is_refused_by_name() {
        for (from, to, word) in [
            ("\"do_resize\": true", "\"do_resize\": true, \"do_pad\": true", "do_pad"),
            ("\"resample\": 3", "\"resample\": 6", "filter 6"),
            ("\"shortest_edge\": 256", "\"longest_edge\": 256", "size"),
            ("\"shortest_edge\": 256", "\"shortest_edge\": -1", "shortest_edge"),
            ("[0.485, 0.456, 0.406]", "[0.485]", "image_mean"),
            ("\"do_center_crop\": true", "\"do_center_crop\": \"yes\"", "do_center_crop"),
            ("{\"crop_size\"", "{\"crop_pct\": 0.875, \"crop_size\"", "crop_pct"),
            ("{\"crop_size\"", "{\"do_flip_channel_order\": true, \"crop_size\"", "flip"),
        ] {
            assert!(DINO.contains(from), "{from}");
            let error = read_text(&DINO.replace(from, to)).unwrap_err();
            assert!(error.to_string().contains(word), "`{word}` is not in: {error}");
            assert!(error.help().is_some());
        }
        for text in ["", "[]", "{", "{\"size\": 224}", "{\"pretrained_cfg\": 1}"] {
            assert!(read_text(text).is_err(), "{text}");
        }
        let border = TIMM_VIT.replace("\"center\"", "\"border\"");
        assert!(read_text(&border).unwrap_err().to_string().contains("border"));
    }

    #[test]
    fn a_step_that_is_switched_off_may_have_any_name() {
        let text = DINO.replace("{\"crop_size\"", "{\"do_pad\": false, \"crop_size\"");
        read_text(&text).unwrap();
    }

    #[test]
    fn a_config_of_a_model_without_pretrained_cfg_is_no_description() {
        let folder = tempfile::tempdir().unwrap();
        fs_err::write(folder.path().join(TIMM), r#"{"model_type": "dinov2"}"#).unwrap();
        assert_eq!(read_folder(folder.path()).unwrap(), None);
        fs_err::write(folder.path().join(TIMM), TIMM_VIT).unwrap();
        assert!(read_folder(folder.path()).unwrap().is_some());
    }
}
