//! Products with inputs that are mostly 0, as images of strokes are: only the other entries are taken.

use faer::traits::pulp::{Arch, Simd, WithSimd};

/// The entries of a matrix that are not 0, by rows and by columns.
#[derive(Default)]
pub(crate) struct Sparse {
    pub(crate) rows: Lists,
    pub(crate) columns: Lists,
}

/// Lists of entries: where each is in the other direction, and its value.
#[derive(Default)]
pub(crate) struct Lists {
    /// Where each list begins, and where the last one ends.
    starts: Vec<usize>,
    entries: Vec<(u32, f32)>,
}

impl Sparse {
    /// Takes the place of what was there with the entries of `x: [rows, width]`.
    pub(crate) fn set(&mut self, x: &[f32], width: usize) {
        let Lists { starts, entries } = &mut self.rows;
        entries.clear();
        starts.clear();
        starts.push(0);
        let columns = &mut self.columns;
        columns.starts.clear();
        columns.starts.resize(width + 1, 0);
        for row in x.chunks_exact(width) {
            for (column, &value) in row.iter().enumerate() {
                if value != 0.0 {
                    entries.push((column as u32, value));
                    columns.starts[column] += 1;
                }
            }
            starts.push(entries.len());
        }
        // from how many each column has to where it ends, and, as it is filled from behind, begins
        let mut end = 0;
        for start in &mut columns.starts {
            end += *start;
            *start = end;
        }
        columns.entries.resize(entries.len(), (0, 0.0));
        for row in (0..starts.len() - 1).rev() {
            for &(column, value) in entries[starts[row]..starts[row + 1]].iter().rev() {
                let place = &mut columns.starts[column as usize];
                *place -= 1;
                columns.entries[*place] = (row as u32, value);
            }
        }
    }
}

impl Lists {
    fn iter(&self) -> impl Iterator<Item = &[(u32, f32)]> {
        self.starts.windows(2).map(|bounds| &self.entries[bounds[0]..bounds[1]])
    }

    /// Sets every row of `out: [lists, width]` to `start: [width]` and the sum of the rows of
    /// `b: [n, width]` that its list names, each times the entry's value.
    pub(crate) fn product(&self, b: &[f32], start: &[f32], out: &mut [f32]) {
        Arch::new().dispatch(Product { lists: self, b, start, out });
    }
}

struct Product<'a> {
    lists: &'a Lists,
    b: &'a [f32],
    start: &'a [f32],
    out: &'a mut [f32],
}

impl WithSimd for Product<'_> {
    type Output = ();

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "compiled anew for the vectors that the caller has")]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let mut first = 0;
        loop {
            // As many columns at once as there are registers for.
            first += match (self.start.len() - first) / S::F32_LANES {
                10.. => self.columns::<S, 10>(simd, first),
                4.. => self.columns::<S, 4>(simd, first),
                1.. => self.columns::<S, 1>(simd, first),
                0 => break,
            };
        }
        let width = self.start.len();
        for (list, out) in self.lists.iter().zip(self.out.chunks_exact_mut(width)) {
            for (column, out) in out.iter_mut().enumerate().skip(first) {
                let add = |sum, &(at, value): &(u32, f32)| {
                    f32::mul_add(value, self.b[at as usize * width + column], sum)
                };
                *out = list.iter().fold(self.start[column], add);
            }
        }
    }
}

impl Product<'_> {
    /// Does `C` vectors of columns, and says how many columns they are.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "compiled anew for the vectors that the caller has")]
    fn columns<S: Simd, const C: usize>(&mut self, simd: S, first: usize) -> usize {
        let (width, count) = (self.start.len(), C * S::F32_LANES);
        let (start, _) = S::as_simd_f32s(&self.start[first..][..count]);
        for (list, out) in self.lists.iter().zip(self.out.chunks_exact_mut(width)) {
            let mut sums: [S::f32s; C] = std::array::from_fn(|c| start[c]);
            for &(at, value) in list {
                let (row, _) = S::as_simd_f32s(&self.b[at as usize * width + first..][..count]);
                let value = simd.splat_f32s(value);
                for c in 0..C {
                    sums[c] = simd.mul_add_f32s(row[c], value, sums[c]);
                }
            }
            let (out, _) = S::as_mut_simd_f32s(&mut out[first..][..count]);
            out.copy_from_slice(&sums);
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_of_any_width_are_sums_by_hand() {
        let (rows, inner) = (7, 11);
        // a row and a column without entries
        let entry = |at: usize| if at % 3 == 1 && at / inner != 2 { at as f32 / 8.0 } else { 0.0 };
        let mut x: Vec<f32> = (0..rows * inner).map(entry).collect();
        x.iter_mut().skip(4).step_by(inner).for_each(|x| *x = 0.0);
        let mut sparse = Sparse::default();
        sparse.set(&[1.0; 40], 20); // what was there before does not matter
        sparse.set(&x, inner);
        for width in [1, 3, 8, 17, 36, 100, 179] {
            let b = |n: usize| -> Vec<f32> { (0..n * width).map(|at| (at % 13) as f32).collect() };
            let start: Vec<f32> = (0..width).map(|column| column as f32).collect();
            for (lists, mirrored) in [(&sparse.rows, false), (&sparse.columns, true)] {
                let (m, n) = if mirrored { (inner, rows) } else { (rows, inner) };
                let (b, mut out) = (b(n), vec![f32::NAN; m * width]);
                lists.product(&b, &start, &mut out);
                for (at, &found) in out.iter().enumerate() {
                    let (i, column) = (at / width, at % width);
                    let factor = |k| if mirrored { x[k * inner + i] } else { x[i * inner + k] };
                    let sum: f32 = (0..n).map(|k| factor(k) * b[k * width + column]).sum();
                    assert_eq!(found, start[column] + sum, "{i}, {column} of {width}");
                }
            }
        }
    }
}
