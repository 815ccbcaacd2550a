//! The time of day, on machines whose clock runs wild.

use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;

/// The time, or the nearest that a [`Timestamp`] can say: it ends with the year 9999, a broken clock
/// does not.
pub fn now() -> Timestamp {
    nearest(SystemTime::now())
}

fn nearest(time: SystemTime) -> Timestamp {
    let end = if time < UNIX_EPOCH { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::try_from(time).unwrap_or(end)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn any_clock_has_a_time() {
        assert_eq!(nearest(UNIX_EPOCH), Timestamp::UNIX_EPOCH);
        for years in [9_000, 100_000] {
            let away = Duration::from_secs(years * 31_557_600);
            assert_eq!(nearest(UNIX_EPOCH + away), Timestamp::MAX);
            assert_eq!(nearest(UNIX_EPOCH - 2 * away), Timestamp::MIN);
        }
    }
}
