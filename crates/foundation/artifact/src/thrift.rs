//! Just enough of Thrift's compact protocol to look at a Parquet file's headers before they are
//! believed ("Thrift Compact protocol encoding", Apache Thrift; `parquet.thrift`, Apache Parquet).
//!
//! The decoder of the `parquet` crate takes memory for what a header promises, recurses as deep as it
//! says and asserts what it has not checked. Nothing here allocates, recursion is bounded, and every
//! way out of the bytes is `None`.

/// Structures nest no deeper than that in a Parquet file, by far.
const DEEPEST: usize = 32;

/// Types of fields that are looked at; a boolean is its type.
pub(crate) const FALSE: u8 = 2;
pub(crate) const I32: u8 = 5;
pub(crate) const LIST: u8 = 9;
pub(crate) const STRUCT: u8 = 12;

/// Bytes and how far they have been read.
pub(crate) struct Compact<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Compact<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Bytes read so far.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn advance(&mut self, count: u64) -> Option<()> {
        let end = self.at.checked_add(usize::try_from(count).ok()?)?;
        self.at = (end <= self.bytes.len()).then_some(end)?;
        Some(())
    }

    /// Groups of seven bits, the lowest first.
    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..70).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    /// A whole number, the sign in the lowest bit.
    pub(crate) fn integer(&mut self) -> Option<i64> {
        let zigzag = self.varint()?;
        Some((zigzag >> 1) as i64 ^ -((zigzag & 1) as i64))
    }

    /// The type and the number of the elements of a list.
    pub(crate) fn list(&mut self) -> Option<(u8, u64)> {
        let head = self.byte()?;
        let count = match head >> 4 {
            15 => self.varint()?,
            short => u64::from(short),
        };
        Some((head & 0x0f, count))
    }

    /// Hands the number and the type of every field of a structure to `field`, which reads it and
    /// says true, or leaves it alone and says false.
    pub(crate) fn fields(
        &mut self,
        mut field: impl FnMut(&mut Self, i64, u8) -> Option<bool>,
    ) -> Option<()> {
        self.fields_at(0, &mut field)
    }

    fn fields_at(
        &mut self,
        depth: usize,
        field: &mut dyn FnMut(&mut Self, i64, u8) -> Option<bool>,
    ) -> Option<()> {
        let mut id = 0_i64;
        loop {
            let head = self.byte()?;
            let kind = head & 0x0f;
            if kind == 0 {
                return Some(());
            }
            id = match head >> 4 {
                0 => self.integer()?,
                delta => id + i64::from(delta),
            };
            if !field(self, id, kind)? {
                self.skip(kind, depth)?;
            }
        }
    }

    /// Passes over a value. Of booleans in structures nothing follows their type.
    fn skip(&mut self, kind: u8, depth: usize) -> Option<()> {
        if depth > DEEPEST {
            return None;
        }
        match kind {
            1 | 2 => Some(()),
            3 => self.advance(1),
            4..=6 => self.varint().map(|_| ()),
            7 => self.advance(8),
            8 => {
                let length = self.varint()?;
                self.advance(length)
            }
            9 | 10 => {
                let (kind, count) = self.list()?;
                self.skip_all(&[kind], count, depth)
            }
            11 => {
                let count = self.varint()?;
                if count == 0 {
                    return Some(());
                }
                let kinds = self.byte()?;
                self.skip_all(&[kinds >> 4, kinds & 0x0f], count, depth)
            }
            12 => self.fields_at(depth + 1, &mut |_, _, _| Some(false)),
            _ => None,
        }
    }

    fn skip_all(&mut self, kinds: &[u8], count: u64, depth: usize) -> Option<()> {
        for _ in 0..count {
            for &kind in kinds {
                // A boolean in a list takes a byte.
                if matches!(kind, 1 | 2) { self.advance(1) } else { self.skip(kind, depth + 1) }?;
            }
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A structure of `{1: i32 = -3, 2: "ab", 3: [true, false], 20: {1: i32 = 150}}`.
    const BYTES: [u8; 19] =
        [0x15, 5, 0x18, 2, b'a', b'b', 0x19, 0x21, 1, 2, 0x0c, 40, 0x15, 0xac, 2, 0, 0, 9, 9];

    #[test]
    fn fields_are_found_and_others_passed_over() {
        let mut bytes = Compact::new(&BYTES);
        let mut found = Vec::new();
        bytes
            .fields(|bytes, id, kind| match (id, kind) {
                (1, I32) => {
                    found.push(bytes.integer()?);
                    Some(true)
                }
                (20, STRUCT) => {
                    bytes.fields(|bytes, id, _| {
                        found.push(id);
                        found.push(bytes.integer()?);
                        Some(true)
                    })?;
                    Some(true)
                }
                _ => Some(false),
            })
            .unwrap();
        assert_eq!((found, bytes.at()), (vec![-3, 1, 150], 17));
    }

    #[test]
    fn what_ends_early_or_goes_on_for_ever_is_nothing() {
        for length in 0..17 {
            let mut cut = Compact::new(&BYTES[..length]);
            assert_eq!(cut.fields(|_, _, _| Some(false)), None, "{length}");
        }
        assert_eq!(Compact::new(&[0xff; 20]).varint(), None);
        let deep = vec![0x1c; 1 << 20];
        assert_eq!(Compact::new(&deep).fields(|_, _, _| Some(false)), None);
        let long = [0x19, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x0f];
        assert_eq!(Compact::new(&long).fields(|_, _, _| Some(false)), None);
    }
}
