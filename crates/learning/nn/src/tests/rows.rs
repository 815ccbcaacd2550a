use super::*;

#[test]
fn set_aside_are_a_share_and_the_rest_is_learnt_from() {
    let rows = Rows::set_aside(40, 0.1, 3).unwrap();
    assert_eq!((rows.train.len(), rows.validation.len()), (36, 4));
    let mut all = [rows.train.clone(), rows.validation.clone()].concat();
    all.sort_unstable();
    assert_eq!(all, (0..40).collect::<Vec<i64>>());
    assert_eq!(rows, Rows::set_aside(40, 0.1, 3).unwrap());
    assert_ne!(rows, Rows::set_aside(40, 0.1, 4).unwrap());
    assert_eq!(Rows::set_aside(40, 1e-9, 3).unwrap().validation.len(), 1);
    for rows in [0, 1] {
        assert!(matches!(Rows::set_aside(rows, 0.1, 0), Err(Error::TooFew { .. })));
    }
}

#[test]
fn set_aside_by_label_come_from_each_in_proportion() {
    // 60 of label 5, 30 of label 7, 10 of label 9
    let label = |row: usize| [5, 5, 7, 5, 5, 7, 5, 5, 7, 9][row % 10];
    let labels: Vec<u32> = (0..100).map(label).collect();
    let rows = Rows::set_aside_stratified(&labels, 0.2, 1).unwrap();
    assert_eq!(rows.train.len(), 80);
    let labels_aside = rows.validation.iter().map(|&row| label(row as usize));
    let count = |wanted| labels_aside.clone().filter(|&label| label == wanted).count();
    assert_eq!([5, 7, 9].map(count), [12, 6, 2]);
    let mut all = [rows.train.clone(), rows.validation.clone()].concat();
    all.sort_unstable();
    assert_eq!(all, (0..100).collect::<Vec<i64>>());
    assert_ne!(rows, Rows::set_aside_stratified(&labels, 0.2, 2).unwrap());
}

#[test]
fn set_aside_leave_one_of_each_label() {
    let rows = Rows::set_aside_stratified(&[1, 2, 2], 0.4, 0).unwrap();
    assert_eq!(rows.validation.len(), 1);
    assert!(rows.train.contains(&0));
    let outcome = Rows::set_aside_stratified(&[1, 2, 2], 0.7, 0);
    assert!(matches!(outcome, Err(Error::TooFew { rows: 3, .. })));
}
