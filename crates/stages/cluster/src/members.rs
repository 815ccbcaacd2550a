//! Where each image stands in its cluster.

/// The place of every image among those of its cluster.
pub(crate) struct Standing {
    /// Share of the cluster's images that are at most as far from the centroid, in percent: `[n]`.
    pub(crate) percentile: Vec<f32>,
    /// The row nearest to each centroid, the first of equals; none for an empty cluster:
    /// `[clusters]`.
    pub(crate) representative: Vec<Option<usize>>,
    /// Images of each cluster: `[clusters]`.
    pub(crate) size: Vec<usize>,
}

impl Standing {
    /// From the cluster and the distance of every row.
    pub(crate) fn of(cluster: &[u32], distance: &[f32], clusters: usize) -> Self {
        let mut members = vec![Vec::new(); clusters];
        for (row, &cluster) in cluster.iter().enumerate() {
            members[cluster as usize].push(row);
        }
        let mut percentile = vec![0.0; cluster.len()];
        for rows in &mut members {
            // Stable, so that equally far rows stay in their order.
            rows.sort_by(|&a, &b| distance[a].total_cmp(&distance[b]));
            let size = rows.len() as f64;
            let mut inside = 0;
            for equal in rows.chunk_by(|&a, &b| distance[a] == distance[b]) {
                inside += equal.len();
                for &row in equal {
                    percentile[row] = (100.0 * inside as f64 / size) as f32;
                }
            }
        }
        Self {
            percentile,
            representative: members.iter().map(|rows| rows.first().copied()).collect(),
            size: members.iter().map(Vec::len).collect(),
        }
    }

    /// Whether each row is the representative of its cluster: `[n]`.
    pub(crate) fn is_representative(&self) -> Vec<bool> {
        let mut is_representative = vec![false; self.percentile.len()];
        for &row in self.representative.iter().flatten() {
            is_representative[row] = true;
        }
        is_representative
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_count_those_at_most_as_far() {
        let standing = Standing::of(&[0, 2, 0, 0, 0], &[3.0, 9.0, 1.0, 1.0, 2.0], 3);
        assert_eq!(standing.percentile, [100.0, 100.0, 50.0, 50.0, 75.0]);
        assert_eq!(standing.representative, [Some(2), None, Some(1)]);
        assert_eq!(standing.is_representative(), [false, true, true, false, false]);
        assert_eq!(standing.size, [4, 0, 1]);
    }
}
