//! Real data for both sides: in memory for us, as `.npy` files in `target/bench/data` for the peers.

use std::{
    collections::HashMap,
    io::Read,
    path::{Path, PathBuf},
    rc::Rc,
};

use anyhow::{Context, Result, bail};
use fs_err::File;
use scarce_ingest::datasets::{Dataset, State, survey};
use scarce_linear::Pca;
use scarce_numeric::{Matrix, random};

use crate::{npy, say};

/// The built-in digits, packed: 64 pixels from 0 to 16 and the class, a line each.
const DIGITS: &[u8] = include_bytes!("../../crates/stages/ingest/src/data/digits.csv.gz");
/// Bytes before the values of an IDX file of images, and of one of labels.
const IMAGE_HEADER: usize = 16;
const LABEL_HEADER: usize = 8;
/// Pixels of an image.
const PIXELS: usize = 784;

/// The training or the test part of MNIST or Fashion-MNIST.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Part {
    /// 60,000 images.
    Train,
    /// 10,000 images.
    Test,
}

/// Points in memory, and the file that holds the same.
#[derive(Debug)]
pub(crate) struct Points {
    /// `[rows, cols]`, row-major.
    pub(crate) values: Vec<f32>,
    /// Number of points.
    pub(crate) rows: usize,
    /// Numbers of a point.
    pub(crate) cols: usize,
    /// The `.npy` file.
    pub(crate) path: PathBuf,
}

impl Points {
    /// As the kernels see them.
    pub(crate) fn matrix(&self) -> Result<Matrix<'_>> {
        Ok(Matrix::new(&self.values, self.rows, self.cols)?)
    }
}

/// Classes in memory, and the file that holds the same.
#[derive(Debug)]
pub(crate) struct Classes {
    /// `[rows]`
    pub(crate) values: Vec<u32>,
    /// The `.npy` file.
    pub(crate) path: PathBuf,
}

impl Classes {
    /// Those of the first rows.
    pub(crate) fn first(&self, rows: usize, data: &Data) -> Result<Self> {
        let values = self.values[..rows].to_vec();
        let from = self.path.file_stem().unwrap_or_default().to_string_lossy();
        let path = data.array(&format!("{from}-first-{rows}.npy"), &values)?;
        Ok(Self { values, path })
    }
}

/// Reads data sets once.
pub(crate) struct Data {
    folders: Vec<PathBuf>,
    place: PathBuf,
    scaled: HashMap<(Dataset, Part), Rc<Points>>,
    projected: HashMap<(Dataset, usize), Rc<Points>>,
}

impl Data {
    /// Looks in `given`, or where tests and `scarce` look; writes below `place`.
    pub(crate) fn new(given: &[PathBuf], place: &Path) -> Self {
        let folders = if given.is_empty() { usual_folders() } else { given.to_vec() };
        let (scaled, projected) = (HashMap::new(), HashMap::new());
        Self { folders, place: place.join("data"), scaled, projected }
    }

    /// The folders that data sets are looked for in.
    pub(crate) fn folders(&self) -> &[PathBuf] {
        &self.folders
    }

    /// The four files of a data set: training images and labels, test images and labels.
    pub(crate) fn files(&self, dataset: Dataset) -> Result<[PathBuf; 4]> {
        let surveys = survey(&self.folders);
        let found = surveys.into_iter().find(|survey| survey.known.dataset == dataset);
        let files = found.into_iter().flat_map(|survey| survey.files);
        let good: Vec<PathBuf> =
            files.filter(|file| file.state == State::Good).filter_map(|file| file.path).collect();
        good.try_into().ok().with_context(|| {
            let looked: Vec<_> =
                self.folders.iter().map(|folder| format!("`{}`", folder.display())).collect();
            format!(
                "{dataset} is not whole in {}: set SCARCE_TEST_DATA, or run `scarce data fetch \
                 {dataset}`",
                looked.join(", ")
            )
        })
    }

    /// Images as points, pixels divided by 255.
    pub(crate) fn scaled(&mut self, dataset: Dataset, part: Part) -> Result<Rc<Points>> {
        if let Some(points) = self.scaled.get(&(dataset, part)) {
            return Ok(Rc::clone(points));
        }
        let name = format!("{dataset}-{}-scaled.npy", part.name());
        let bytes = unpacked(&self.files(dataset)?[part.first_file()])?;
        let pixels = bytes.get(IMAGE_HEADER..).unwrap_or_default();
        let values: Vec<f32> = pixels.iter().map(|&pixel| f32::from(pixel) / 255.0).collect();
        let points = Rc::new(self.points(&name, values, PIXELS)?);
        self.scaled.insert((dataset, part), Rc::clone(&points));
        Ok(points)
    }

    /// True classes of a part, for what learns from all of them.
    pub(crate) fn classes(&self, dataset: Dataset, part: Part) -> Result<Classes> {
        let values = self.labels(dataset, part)?;
        let path = self.array(&format!("{dataset}-{}-classes.npy", part.name()), &values)?;
        Ok(Classes { values, path })
    }

    /// True classes of all 70,000 images, those of [`Data::components`].
    pub(crate) fn all_classes(&self, dataset: Dataset) -> Result<Classes> {
        let mut values = self.labels(dataset, Part::Train)?;
        values.extend(self.labels(dataset, Part::Test)?);
        let path = self.array(&format!("{dataset}-all-classes.npy"), &values)?;
        Ok(Classes { values, path })
    }

    fn labels(&self, dataset: Dataset, part: Part) -> Result<Vec<u32>> {
        let bytes = unpacked(&self.files(dataset)?[part.first_file() + 1])?;
        let labels = bytes.get(LABEL_HEADER..).unwrap_or_default();
        Ok(labels.iter().copied().map(u32::from).collect())
    }

    /// All 70,000 images in the coordinates of their first principal components.
    pub(crate) fn components(&mut self, dataset: Dataset, components: usize) -> Result<Rc<Points>> {
        if let Some(points) = self.projected.get(&(dataset, components)) {
            return Ok(Rc::clone(points));
        }
        let mut values = self.scaled(dataset, Part::Train)?.values.clone();
        values.extend_from_slice(&self.scaled(dataset, Part::Test)?.values);
        let all = Matrix::new(&values, values.len() / PIXELS, PIXELS)?;
        let fitted = Pca { components, whiten: 0.0 }.fit(all)?;
        let values = fitted.transform(all)?;
        let name = format!("{dataset}-all-pca{components}.npy");
        let points = Rc::new(self.points(&name, values, components)?);
        self.projected.insert((dataset, components), Rc::clone(&points));
        Ok(points)
    }

    /// The 1,797 built-in digits, pixels as they are, with their classes.
    pub(crate) fn digits(&self) -> Result<(Points, Classes)> {
        let mut text = String::new();
        flate2::read::GzDecoder::new(DIGITS).read_to_string(&mut text)?;
        let (mut pixels, mut classes) = (Vec::new(), Vec::new());
        for line in text.lines() {
            let mut line: Vec<u8> = line.split(',').map(str::parse).collect::<Result<_, _>>()?;
            classes.extend(line.pop().map(u32::from));
            pixels.extend(line.into_iter().map(f32::from));
        }
        let cols = pixels.len() / classes.len().max(1);
        let path = self.array("digits-classes.npy", &classes)?;
        Ok((self.points("digits.npy", pixels, cols)?, Classes { values: classes, path }))
    }

    /// The first rows of some points.
    pub(crate) fn first(&self, points: &Points, rows: usize) -> Result<Points> {
        let values = points.values[..rows * points.cols].to_vec();
        let from = points.path.file_stem().unwrap_or_default().to_string_lossy();
        self.points(&format!("{from}-first-{rows}.npy"), values, points.cols)
    }

    /// Writes numbers as `[n]`.
    pub(crate) fn array<T: npy::Number>(&self, name: &str, values: &[T]) -> Result<PathBuf> {
        let path = self.place.join(name);
        npy::write(&path, &format!("({},)", values.len()), values)?;
        Ok(path)
    }

    /// Some of the points, drawn at random with a fixed seed: where k-means starts.
    pub(crate) fn sample(&self, points: &Points, count: usize) -> Result<Points> {
        let mut stream = random::stream(0, "benchmark start", count as u64);
        let rows = random::sample(points.rows, count, &mut stream)?;
        let matrix = points.matrix()?;
        let values = rows.iter().flat_map(|&row| matrix.row(row)).copied().collect();
        let from = points.path.file_stem().unwrap_or_default().to_string_lossy();
        self.points(&format!("{from}-{count}.npy"), values, points.cols)
    }

    fn points(&self, name: &str, values: Vec<f32>, cols: usize) -> Result<Points> {
        let rows = values.len() / cols;
        if rows * cols != values.len() || rows == 0 {
            bail!("`{name}` would have {} numbers in rows of {cols}", values.len());
        }
        let path = self.place.join(name);
        say(format_args!("writing `{}`: {rows} × {cols}", path.display()));
        npy::write(&path, &format!("({rows}, {cols})"), &values)?;
        Ok(Points { values, rows, cols, path })
    }
}

impl Part {
    fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Test => "test",
        }
    }

    fn first_file(self) -> usize {
        match self {
            Self::Train => 0,
            Self::Test => 2,
        }
    }
}

/// What the tests are given, what lies beside the checkout, the user's data folder.
fn usual_folders() -> Vec<PathBuf> {
    let absolute =
        |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let user = absolute("XDG_DATA_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/share")));
    let named = std::env::var_os("SCARCE_TEST_DATA").map(PathBuf::from);
    let folders = [named, Some(beside), user.map(|data| data.join("scarce"))];
    folders.into_iter().flatten().filter(|folder| folder.is_dir()).collect()
}

/// The bytes of a file that may be packed.
fn unpacked(path: &Path) -> Result<Vec<u8>> {
    let bytes = fs_err::read(path)?;
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(bytes);
    }
    let mut out = Vec::new();
    flate2::read::MultiGzDecoder::new(File::open(path)?)
        .read_to_end(&mut out)
        .with_context(|| format!("`{}`", path.display()))?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_that_are_not_there_are_an_error_with_a_way_out() {
        let folder = tempfile::tempdir().unwrap();
        let mut data = Data::new(&[folder.path().to_owned()], folder.path());
        let error = data.scaled(Dataset::FashionMnist, Part::Train).unwrap_err().to_string();
        assert!(error.contains("scarce data fetch fashion-mnist"), "{error}");
    }

    #[test]
    fn digits_are_built_in() {
        let folder = tempfile::tempdir().unwrap();
        let (x, y) = Data::new(&[], folder.path()).digits().unwrap();
        assert_eq!((x.rows, x.cols, y.values.len()), (1797, 64, 1797));
        assert_eq!(x.values[..8], [0.0, 0.0, 5.0, 13.0, 9.0, 1.0, 0.0, 0.0]);
        assert_eq!(y.values[..4], [0, 1, 2, 3]);
    }

    #[test]
    fn points_are_drawn_with_a_fixed_seed() {
        let folder = tempfile::tempdir().unwrap();
        let data = Data::new(&[folder.path().to_owned()], folder.path());
        let points = data.points("x.npy", (0..40u8).map(f32::from).collect(), 2).unwrap();
        assert_eq!((points.rows, points.matrix().unwrap().row(1)), (20, &[2.0, 3.0][..]));
        let (a, b) = (data.sample(&points, 5).unwrap(), data.sample(&points, 5).unwrap());
        assert_eq!((a.rows, &a.values), (5, &b.values));
        let first = data.first(&points, 3).unwrap();
        assert_eq!((first.rows, &first.values[..]), (3, &points.values[..6]));
        assert!(a.path.ends_with("data/x-5.npy") && a.path.exists());
        assert!(data.points("x.npy", vec![0.0; 3], 2).is_err());
    }
}
