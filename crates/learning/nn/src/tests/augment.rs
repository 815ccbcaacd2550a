use super::*;

const NONE: Augmentation = Augmentation {
    rotation: 0.0,
    scale: 0.0,
    shear: 0.0,
    shift: 0.0,
    elastic: 0.0,
    mirror: false,
    light: 0.0,
    erase: 0.0,
};
const WIDE: Shape = Shape { height: 21, width: 41, channels: 1 };

/// `n` images of `shape`, brightness by row, column and channel.
fn drawn(n: usize, shape: Shape, value: impl Fn(usize, usize, usize) -> f32) -> Tensor {
    let Shape { height, width, channels } = shape;
    let one: Vec<f32> = (0..height * width * channels)
        .map(|i| value(i / channels / width, i / channels % width, i % channels))
        .collect();
    Tensor::from_slice(&one.repeat(n)).view([n as i64, one.len() as i64])
}

fn changed(augmentation: Augmentation, x: &Tensor, shape: Shape, seed: u64) -> Vec<f32> {
    let mut stream = Stream::new(seed, "test");
    numbers(&augmentation.apply(x, shape, &mut stream).unwrap()).unwrap()
}

fn furthest(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

#[test]
fn that_does_nothing_leaves_images_as_they_are() {
    let x = drawn(3, ODD, |y, x, c| (y * 7 + x + 3 * c) as f32 / 100.0);
    let same: Vec<f32> = numbers(&x).unwrap();
    assert!(furthest(&changed(NONE, &x, ODD, 0), &same) < 1e-4);
}

#[test]
fn mirrors_about_half_of_the_images() {
    let x = drawn(40, ODD, |y, x, c| (y * 7 + x + 3 * c) as f32 / 100.0);
    let mirrored = drawn(40, ODD, |y, x, c| (y * 7 + (6 - x) + 3 * c) as f32 / 100.0);
    let found = changed(Augmentation { mirror: true, ..NONE }, &x, ODD, 1);
    let (plain, other): (Vec<f32>, Vec<f32>) = (numbers(&x).unwrap(), numbers(&mirrored).unwrap());
    let width = ODD.pixels();
    let mut turned = 0;
    for at in (0..40).map(|image| image * width..(image + 1) * width) {
        let same = furthest(&found[at.clone()], &plain[at.clone()]) < 1e-4;
        let flipped = furthest(&found[at.clone()], &other[at]) < 1e-4;
        assert!(same != flipped);
        turned += usize::from(flipped);
    }
    assert!((10..30).contains(&turned), "{turned}");
}

#[test]
fn moves_by_no_more_than_it_should() {
    let blot = |y: usize, x: usize, _: usize| {
        if (9..12).contains(&y) && (19..22).contains(&x) { 1.0 } else { 0.0 }
    };
    let x = drawn(30, WIDE, blot);
    let found = changed(Augmentation { shift: 0.2, ..NONE }, &x, WIDE, 2);
    let (mut most_down, mut most_across) = (0.0_f32, 0.0_f32);
    for image in found.chunks(WIDE.pixels()) {
        let (mut down, mut across, mut sum) = (0.0, 0.0, 0.0);
        for (i, value) in image.iter().enumerate() {
            down += value * (i / WIDE.width) as f32;
            across += value * (i % WIDE.width) as f32;
            sum += value;
        }
        most_down = most_down.max((down / sum - 10.0).abs());
        most_across = most_across.max((across / sum - 20.0).abs());
    }
    assert!((2.0..4.3).contains(&most_down), "{most_down}");
    assert!((4.0..8.3).contains(&most_across), "{most_across}");
}

#[test]
fn turns_a_round_blot_into_itself_whatever_the_sides() {
    let round = |y: usize, x: usize, _: usize| {
        let (down, across) = (y as f32 - 10.0, x as f32 - 20.0);
        (-(down * down + across * across) / 18.0).exp()
    };
    let x = drawn(20, WIDE, round);
    let same: Vec<f32> = numbers(&x).unwrap();
    let turned = changed(Augmentation { rotation: 90.0, ..NONE }, &x, WIDE, 3);
    assert!(furthest(&turned, &same) < 0.03, "{}", furthest(&turned, &same));
    let stretched = changed(Augmentation { scale: 0.4, ..NONE }, &x, WIDE, 3);
    assert!(furthest(&stretched, &same) > 0.1);
}

#[test]
fn bends_each_image_in_its_own_way_the_same_for_a_seed() {
    let x = drawn(2, ODD, |y, x, c| (y * 7 + x + 3 * c) as f32 / 100.0);
    let elastic = Augmentation { elastic: 0.1, ..NONE };
    let found = changed(elastic, &x, ODD, 4);
    let (first, second) = found.split_at(ODD.pixels());
    assert!(furthest(first, second) > 0.01);
    assert_eq!(found, changed(elastic, &x, ODD, 4));
    assert_ne!(found, changed(elastic, &x, ODD, 5));
}

#[test]
fn changes_the_light_of_an_image_but_not_what_is_black_or_where() {
    let x = drawn(30, ODD, |y, x, c| if c == 0 { 0.0 } else { (y * 7 + x) as f32 / 70.0 });
    let found = changed(Augmentation { light: 0.5, ..NONE }, &x, ODD, 5);
    let middle = ODD.pixels() / 2;
    let values: Vec<f32> =
        found.chunks(ODD.pixels()).map(|image| image[middle / 3 * 3 + 1]).collect();
    let (least, most) = values.iter().fold((1.0_f32, 0.0_f32), |(l, m), &v| (l.min(v), m.max(v)));
    assert!(least < 0.35 && most > 0.55, "{least} {most}");
    for image in found.chunks(ODD.pixels()) {
        assert!(image.iter().step_by(3).all(|&value| value == 0.0));
        let green: Vec<f32> = image.iter().skip(1).step_by(3).copied().collect();
        assert!(green.is_sorted() && green.iter().all(|&value| value <= 1.0));
    }
}

#[test]
fn blots_out_a_square_no_larger_than_it_should() {
    let x = drawn(40, WIDE, |_, _, _| 1.0);
    let found = changed(Augmentation { erase: 0.5, ..NONE }, &x, WIDE, 6);
    let gone: Vec<usize> = found
        .chunks(WIDE.pixels())
        .map(|image| image.iter().filter(|&&value| value < 0.5).count())
        .collect();
    assert!(gone.iter().all(|&gone| gone <= 11 * 21), "{gone:?}");
    assert!(gone.iter().any(|&gone| gone > 100) && gone.iter().any(|&gone| gone < 20));
}
