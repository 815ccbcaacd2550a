//! Encoded pictures, decoded side by side into the tables.

use std::collections::BTreeMap;

use rayon::prelude::*;
use scarce_artifact::digest_bytes;
use scarce_pictures::{
    Encoded, Options, Picture, Range16, Samples, Source, Unreadable, decode as decode_bytes,
};
use scarce_stage::{Failure, Memo};

use super::{
    params::{Params, Taken},
    picture::Target,
    sink::{Row, Sink},
};
use crate::{Error, Result, error};

/// Bytes of decoded pictures that wait to be written.
const WAITING_BYTES: usize = 64 << 20;
/// Pictures that are decoded together, at most.
const AT_ONCE: usize = 256;
/// Bytes before the values in the memo.
const HEAD: usize = 9;
/// Unreadable pictures that a message lists.
const LISTED: usize = 100;
/// Fewer levels than this are a loss that one sees.
const LEVELS: u32 = 64;

/// Decodes the taken rows of a source into the sink.
pub(crate) fn ingest(
    source: &Source,
    chosen: &[Option<Taken>],
    labels: impl Fn(usize) -> Option<i32>,
    params: &Params,
    memo: &Memo,
    sink: &mut Sink<'_>,
) -> Result<(), Failure> {
    let rows: Vec<usize> = (0..chosen.len()).filter(|&row| chosen[row].is_some()).collect();
    let target = params.target();
    let options = target.decoding();
    let mut range = params.range_16bit()?;
    // Whole pictures are no smaller than their files: only small copies are worth remembering.
    let memo = target.size.map(|_| memo);
    let mut report = Report::default();
    // Until the first picture is known: as many as threads can work on.
    let mut at_once = rayon::current_num_threads() * 2;
    for batch in source.encoded(&rows).map_err(Error::from)? {
        let batch = batch.map_err(Error::from)?;
        let mut rest = batch.as_slice();
        while !rest.is_empty() {
            let (part, behind) = rest.split_at(at_once.min(rest.len()));
            rest = behind;
            let mut decoded: Vec<Outcome> = part
                .par_iter()
                .map(|encoded| decode(encoded, &options, target, range, memo))
                .collect();
            if decoded.iter().any(Outcome::waits) {
                let found = find_range(source, &rows, &options)?;
                decoded
                    .par_iter_mut()
                    .filter(|outcome| outcome.waits())
                    .for_each(|outcome| outcome.finish(target, found));
                range = Some(found);
            }
            for (encoded, Outcome { picture, notes }) in part.iter().zip(decoded) {
                let Some(taken) = chosen[encoded.row] else { continue };
                report.notes(encoded, notes);
                match picture {
                    Ok(picture) => {
                        let bytes = picture.bytes().map_or(1, <[u8]>::len);
                        at_once = (WAITING_BYTES / bytes.max(1)).clamp(1, AT_ONCE);
                        let (source, label) = (encoded.name.clone(), labels(encoded.row));
                        sink.push(Row { taken, source, label }, &picture)?;
                    }
                    Err(reason) => {
                        report.unreadable(encoded, &reason);
                        sink.leave_out(taken.id, encoded.name.clone());
                    }
                }
            }
        }
    }
    report.close(rows.len(), params)?;
    Ok(())
}

/// A picture, decoded and brought to what is wanted, and what is to be said of it.
struct Outcome {
    picture: Result<Picture, Unreadable>,
    notes: Vec<String>,
}

/// Reads and decodes one picture, or remembers what it became: what it is brought to depends on its
/// bytes and on the parameters that the memo stands for.
fn decode(
    encoded: &Encoded,
    options: &Options,
    target: Target,
    range: Option<Range16>,
    memo: Option<&Memo>,
) -> Outcome {
    let bytes = match encoded.bytes() {
        Ok(bytes) => bytes,
        Err(reason) => return Outcome { picture: Err(reason), notes: Vec::new() },
    };
    let digest = memo.map(|memo| (memo, digest_bytes(&bytes)));
    let known = digest.as_ref().and_then(|(memo, digest)| recall(&memo.get(digest)?));
    if let Some(picture) = known {
        return Outcome { picture: Ok(picture), notes: Vec::new() };
    }
    let picture = decode_bytes(&bytes, options);
    let notes = picture.as_ref().map_or(&[][..], Picture::notes).to_vec();
    let mut outcome = Outcome { picture, notes };
    let deep = outcome.waits();
    // At once, so that no more than one whole picture a thread is held.
    if range.is_some() || !deep {
        outcome.finish(target, range.unwrap_or(Range16::FULL));
    }
    // The range of 16-bit values is that of all pictures, and notes are to be said again.
    if let (Some((memo, digest)), false, true, Ok(picture)) =
        (&digest, deep, outcome.notes.is_empty(), &outcome.picture)
    {
        memo.put(digest, &note_down(picture));
    }
    outcome
}

/// A picture of bytes for the memo: width, height and channels before the values.
fn note_down(picture: &Picture) -> Vec<u8> {
    let mut noted = Vec::with_capacity(HEAD + picture.bytes().map_or(0, <[u8]>::len));
    noted.extend(picture.width().to_le_bytes());
    noted.extend(picture.height().to_le_bytes());
    noted.push(picture.channels());
    noted.extend(picture.bytes().unwrap_or_default());
    noted
}

fn recall(noted: &[u8]) -> Option<Picture> {
    let (head, values) = noted.split_first_chunk::<HEAD>()?;
    let side = |at: usize| Some(u32::from_le_bytes(head.get(at..at + 4)?.try_into().ok()?));
    Picture::new(side(0)?, side(4)?, head[8], Samples::Bytes(values.to_vec()))
}

impl Outcome {
    /// Whether it has 16-bit values, whose range may not be known yet.
    fn waits(&self) -> bool {
        self.picture.as_ref().is_ok_and(|picture| picture.bytes().is_none())
    }

    fn finish(&mut self, target: Target, range: Range16) {
        let unset = || Err(Unreadable::Empty);
        self.picture = std::mem::replace(&mut self.picture, unset())
            .map(|picture| target.apply(picture.into_bytes(range)));
    }
}

/// The range of all 16-bit values of the source: one for all images, so that they stay comparable.
fn find_range(source: &Source, rows: &[usize], options: &Options) -> Result<Range16> {
    let (mut smallest, mut largest) = (u16::MAX, 0);
    let mut eight_bits = false;
    for batch in source.encoded(rows)? {
        // Threads take a picture at a time and keep two numbers of it.
        let seen: Vec<(Option<(u16, u16)>, bool)> = batch?
            .par_iter()
            .map(|encoded| {
                let picture = encoded.bytes().and_then(|bytes| decode_bytes(&bytes, options));
                picture.map_or((None, false), |picture| {
                    (picture.range_16bit(), matches!(picture.samples(), Samples::Bytes(_)))
                })
            })
            .collect();
        for (range, bytes) in seen {
            eight_bits |= bytes;
            if let Some((low, high)) = range {
                (smallest, largest) = (smallest.min(low), largest.max(high));
            }
        }
    }
    let range = Range16::of_largest(largest);
    tracing::info!("16-bit values from 0 to {} become 0 to 255", range.high);
    let levels = u32::from(range.byte(largest)) - u32::from(range.byte(smallest)) + 1;
    if levels < LEVELS && levels < u32::from(largest - smallest) + 1 {
        tracing::warn!(
            "the 16-bit values of these images lie between {smallest} and {largest}: of 256 levels \
             {levels} are left; `range_16bit = [{smallest}, {largest}]` keeps the contrast"
        );
    }
    if eight_bits {
        tracing::warn!(
            "some images have 16 bits a value and some 8: {} in the first is as bright as 255 in \
             the second",
            range.high
        );
    }
    Ok(range)
}

/// What the user should know when all is read.
#[derive(Default)]
struct Report {
    unreadable: Vec<String>,
    /// Names by what is noted of them.
    notes: BTreeMap<String, Vec<String>>,
}

impl Report {
    fn unreadable(&mut self, encoded: &Encoded, reason: &Unreadable) {
        let row = encoded.row.to_string();
        let name = if encoded.name == row || encoded.is_file() {
            format!("`{}`", encoded.name)
        } else {
            format!("`{}` (row {row})", encoded.name)
        };
        self.unreadable.push(format!("  {name}: {reason}"));
    }

    fn notes(&mut self, encoded: &Encoded, notes: Vec<String>) {
        for note in notes {
            self.notes.entry(note).or_default().push(encoded.name.clone());
        }
    }

    /// Warns, or stops where too many cannot be read.
    fn close(self, images: usize, params: &Params) -> Result<()> {
        for (note, names) in &self.notes {
            let more = if names.len() > 1 {
                format!(" and {} more", names.len() - 1)
            } else {
                String::new()
            };
            tracing::warn!("`{}`{more}: {note}", names[0]);
        }
        let count = self.unreadable.len();
        if count == 0 {
            return Ok(());
        }
        let mut listed = self.unreadable;
        if count > LISTED {
            listed.truncate(LISTED);
            listed.push(format!("  and {} more", count - LISTED));
        }
        let list = listed.join("\n");
        if count > params.may_leave_out(images) {
            return Err(Error::Images { count, of: images, list });
        }
        tracing::warn!("left out: {}", error::unreadable(count, images, &list));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use scarce_pictures::{Fit, SourceOptions};

    use super::*;
    use crate::images::{
        Channels, Size,
        tests::made::{deep, folder_of, png},
    };

    #[test]
    fn what_a_picture_became_is_remembered_by_its_bytes() {
        let folder = folder_of(&["a.png", "b.png"]);
        fs_err::write(folder.path().join("c.png"), png(&deep(1, 2, &[3, 4]))).unwrap();
        let place = tempfile::tempdir().unwrap();
        let source = Source::open(folder.path(), &SourceOptions::default()).unwrap();
        let pictures = source.encoded(&[0, 1, 2]).unwrap().next().unwrap().unwrap();
        let size = Some(Size { height: 2, width: 2 });
        let (fit, channels) = (Fit::Stretch, Channels::Keep);
        let target = Target { size, fit, channels, background: [255; 3], max_pixels: 99 };
        let run = || {
            let memo = Memo::open(Some(place.path()));
            let one = |encoded| decode(encoded, &target.decoding(), target, None, Some(&memo));
            pictures.iter().map(one).map(|outcome| outcome.picture.unwrap()).collect::<Vec<_>>()
        };
        let first = run();
        // Not the one of sixteen bits, whose scale is that of all.
        assert_eq!(Memo::open(Some(place.path())).len(), 2);
        assert_eq!(run(), first);
        // What is in the memo is taken: the digest of `b` gets the picture of `a`.
        let other = tempfile::tempdir().unwrap();
        let memo = Memo::open(Some(other.path()));
        memo.put(&digest_bytes(&pictures[1].bytes().unwrap()), &note_down(&first[0]));
        drop(memo);
        let memo = Memo::open(Some(other.path()));
        let taken = decode(&pictures[1], &target.decoding(), target, None, Some(&memo));
        assert_eq!(taken.picture.unwrap(), first[0]);
        assert!(recall(&[0; 8]).is_none() && recall(&[1; 12]).is_none());
    }
}
