use std::sync::Mutex;

use serde_json::Value;

use super::*;

#[test]
fn lowers_the_loss() {
    let plan = Training { epochs: 30, batch: 4, learning_rate: 1e-2, ..Training::default() };
    let (_, epochs) = trained(1, &plan);
    assert_eq!(epochs.len(), 30);
    assert!(epochs[29].train_loss < 0.5 * epochs[0].train_loss, "{epochs:?}");
}

#[test]
fn of_the_same_seed_gives_the_same_bits_on_any_number_of_threads() {
    let plan = Training { epochs: 3, batch: 7, piece: 2, ..Training::default() };
    let on = |threads: usize, seed| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let (variables, epochs) = trained(seed, &plan);
            (variables.save().unwrap(), epochs)
        })
    };
    let one = on(1, 1);
    assert_eq!(one, on(2, 1));
    assert_eq!(one, on(5, 1));
    assert_ne!(one, on(2, 2));
}

#[test]
fn observes_the_same_means_on_any_number_of_threads() {
    // every mini-batch is all twelve rows in four pieces, so what all pieces saw is known
    let plan = Training { epochs: 100, batch: 12, piece: 3, ..Training::default() };
    let learner = |variables: &Variables| {
        let norm = BatchNorm::new(variables, "norm", ODD.pixels())?;
        let pixels = pixels(ODD);
        Ok(move |rows: &Tensor, mode: &mut Mode<'_>| {
            let x = norm.forward(&pixels.gather(rows)?, mode)?;
            Ok(x.f_pow_tensor_scalar(4)?.f_mean(Kind::Float)?)
        })
    };
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let variables = Variables::fresh(cpu(), 0);
            train(&variables, Rows::all(12), &plan, &mut |_| {}, learner).unwrap();
            variables.save().unwrap()
        })
    };
    let saved = on(1);
    assert_eq!(saved, on(2));
    assert_eq!(saved, on(4));
    let all = pixels(ODD).range(0, 12).unwrap();
    let mean: Vec<f32> = numbers(&all.mean_dim(0, false, Kind::Float)).unwrap();
    for (observed, mean) in saved["norm.mean"].values.iter().zip(mean) {
        assert!((observed - mean).abs() < 1e-3, "{observed} is not {mean}");
    }
}

#[test]
fn keeps_the_best_weights_and_stops() {
    let plan = Training {
        epochs: 500,
        batch: 3,
        learning_rate: 0.3,
        patience: Some(3),
        seed: 4,
        ..Training::default()
    };
    let variables = Variables::fresh(cpu(), 4);
    let loss = there_and_back(&variables, ODD);
    let seen = Mutex::new(Vec::new());
    let rows = Rows::set_aside(12, 0.25, 4).unwrap();
    let epochs = train(&variables, rows, &plan, &mut |_| {}, |replica| {
        let loss = there_and_back(replica, ODD);
        let seen = &seen;
        Ok(move |rows: &Tensor, mode: &mut Mode<'_>| {
            seen.lock().unwrap().push(Vec::<i64>::try_from(rows).unwrap());
            loss(rows, mode)
        })
    });
    let epochs = epochs.unwrap();
    let losses: Vec<f64> = epochs.iter().map(|epoch| epoch.validation_loss.unwrap()).collect();
    let best = losses.iter().copied().fold(f64::INFINITY, f64::min);
    assert!(epochs.len() < 500);
    assert!(losses[losses.len() - 3..].iter().all(|&loss| loss > best), "{losses:?}");
    // the last batch seen was that of validation
    let validation = seen.lock().unwrap().last().cloned().unwrap();
    assert_eq!(validation.len(), 3);
    let now = loss(&Tensor::from_slice(&validation), &mut Mode::Applied).unwrap();
    assert!((now.double_value(&[]) - best).abs() < 1e-6, "{now:?} is not {best}");
}

#[test]
fn that_diverges_says_so() {
    let variables = Variables::fresh(cpu(), 0);
    let plan = Training { learning_rate: 1e30, epochs: 5, ..Training::default() };
    let learner = |variables: &Variables| {
        let line = Dense::new(variables, "line", &[1, 1], Activation::None)?;
        Ok(move |rows: &Tensor, mode: &mut Mode<'_>| {
            let x = rows.to_kind(Kind::Float).view([-1, 1]);
            Ok(line.forward(&x, mode)?.f_pow_tensor_scalar(2)?.f_mean(Kind::Float)?)
        })
    };
    let error = train(&variables, Rows::all(4), &plan, &mut |_| {}, learner).unwrap_err();
    assert!(matches!(error, Error::Diverged { epoch: 2, step: 1, .. }), "{error}");
}

#[test]
fn needs_something_to_learn_from() {
    let variables = Variables::fresh(cpu(), 0);
    let learner = |replica: &Variables| Ok(there_and_back(replica, ODD));
    let outcome = train(&variables, Rows::all(0), &Training::default(), &mut |_| {}, learner);
    assert!(matches!(outcome, Err(Error::TooFew { .. })));
}

#[test]
fn tells_every_step_of_its_progress() {
    let plan = Training { epochs: 2, batch: 5, ..Training::default() };
    let variables = Variables::fresh(cpu(), 0);
    let learner = |replica: &Variables| Ok(there_and_back(replica, ODD));
    let mut steps = Vec::new();
    let mut noted = |at: &Progress| steps.push((at.done, at.total));
    train(&variables, Rows::all(12), &plan, &mut noted, learner).unwrap();
    assert_eq!(steps, (0..6).map(|done| (done, 6)).collect::<Vec<_>>());
}

#[test]
fn sees_every_row_once_an_epoch_and_never_one_alone() {
    for (rows, batch) in [(12, 5), (11, 5), (1, 5), (6, 5), (5, 1), (4, 9)] {
        let seen = Mutex::new(Vec::new());
        let variables = Variables::fresh(cpu(), 0);
        let plan = Training { epochs: 1, batch, piece: 2, ..Training::default() };
        let learner = |variables: &Variables| {
            let line = Dense::new(variables, "line", &[1, 1], Activation::None)?;
            let seen = &seen;
            Ok(move |rows: &Tensor, mode: &mut Mode<'_>| {
                seen.lock().unwrap().push(Vec::<i64>::try_from(rows).unwrap());
                let x = rows.to_kind(Kind::Float).view([-1, 1]);
                Ok(line.forward(&x, mode)?.f_mean(Kind::Float)?)
            })
        };
        train(&variables, Rows::all(rows), &plan, &mut |_| {}, learner).unwrap();
        let seen = seen.into_inner().unwrap();
        let mut all = seen.concat();
        all.sort_unstable();
        assert_eq!(all, (0..rows as i64).collect::<Vec<_>>(), "{rows} by {batch}");
        let alone = seen.iter().any(|piece| piece.len() == 1);
        assert_eq!(alone, rows == 1 || batch == 1, "{rows} by {batch}: {seen:?}");
    }
}

#[test]
fn takes_the_steps_that_numpy_takes() {
    let known: Value =
        serde_json::from_str(include_str!("../../fixtures/optimisers.json")).unwrap();
    let numbers = |value: &Value| -> Vec<f32> { serde_json::from_value(value.clone()).unwrap() };
    for fit in known["fits"].as_array().unwrap() {
        let saved = |name: &str, shape: &[usize]| {
            let values = numbers(&known[name]);
            (format!("line.0.{name}"), scarce_artifact::Tensor { shape: shape.to_vec(), values })
        };
        let tensors = [saved("weight", &[2, 3]), saved("bias", &[2])].into();
        let variables = Variables::of_model(cpu(), weights::of(tensors), Path::new("line"));
        let plan = Training {
            epochs: 6,
            // pieces of a batch must come to the same as the batch
            piece: 3,
            optimiser: match fit["rule"].as_str().unwrap() {
                "adam" => Optimiser::Adam,
                "adamw" => Optimiser::AdamW,
                _ => Optimiser::Sgd { momentum: 0.9 },
            },
            learning_rate: 0.05,
            weight_decay: fit["decay"].as_f64().unwrap(),
            ..Training::default()
        };
        let learner = |variables: &Variables| {
            let line = Dense::new(variables, "line", &[3, 2], Activation::None)?;
            let x = Tensor::from_slice(&numbers(&known["x"])).view([10, 3]);
            let y = Tensor::from_slice(&numbers(&known["y"])).view([10, 2]);
            Ok(move |rows: &Tensor, mode: &mut Mode<'_>| {
                let line = line.forward(&x.f_index_select(0, rows)?, mode)?;
                Ok(line.f_mse_loss(&y.f_index_select(0, rows)?, Reduction::Mean)?)
            })
        };
        let epochs = train(&variables, Rows::all(10), &plan, &mut |_| {}, learner).unwrap();
        let (rule, decay) = (&fit["rule"], &fit["decay"]);
        let close = |found: f64, expected: f64| {
            assert!((found - expected).abs() < 1e-5, "{rule} {decay}: {found} is not {expected}");
        };
        for (epoch, expected) in epochs.iter().zip(fit["losses"].as_array().unwrap()) {
            close(epoch.train_loss, expected.as_f64().unwrap());
        }
        for (name, tensor) in variables.save().unwrap() {
            let expected = numbers(&fit[name.trim_start_matches("line.0.")]);
            for (&found, expected) in tensor.values.iter().zip(expected) {
                close(found.into(), expected.into());
            }
        }
    }
}
