//! Who belongs to which group.

/// What carries each label, by label: the members of group `g` are `order[starts[g]..starts[g + 1]]`,
/// ascending.
pub struct Members {
    order: Vec<u32>,
    starts: Vec<usize>,
}

impl Members {
    /// Of `labels: [n]`, all below `groups`.
    pub fn new(labels: &[u32], groups: usize) -> Self {
        let mut starts = vec![0; groups + 1];
        for &label in labels {
            starts[label as usize + 1] += 1;
        }
        for group in 0..groups {
            starts[group + 1] += starts[group];
        }
        let mut next = starts.clone();
        let mut order = vec![0; labels.len()];
        for (member, &label) in (0..).zip(labels) {
            let place = &mut next[label as usize];
            order[*place] = member;
            *place += 1;
        }
        Self { order, starts }
    }

    /// The members of `group`, ascending.
    pub fn of(&self, group: usize) -> &[u32] {
        &self.order[self.starts[group]..self.starts[group + 1]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_listed_by_group_in_order() {
        let members = Members::new(&[2, 0, 2, 2, 0], 4);
        let lists: Vec<&[u32]> = (0..4).map(|group| members.of(group)).collect();
        assert_eq!(lists, [&[1, 4][..], &[], &[0, 2, 3], &[]]);
    }
}
