//! What a process prints, line by line, whatever it prints.

use std::io::{self, BufRead};

/// Of a longer line the middle is left out: a stage that prints gigabytes must not fill the memory.
const LONGEST: usize = 256 << 10;
/// What stays at either end of such a line.
const END: usize = LONGEST / 2;
/// A backslash and what belongs to it in JSON: `\u1234`.
const ESCAPE: usize = 6;

/// The next line that a stage prints, without its end; none at the end of the pipe.
///
/// No line takes more than a bounded amount of memory. The ends of one that is too long are joined so
/// that JSON whose middle was within one string is JSON still: what matters most of a long message
/// stands at its beginning and its end.
///
/// # Errors
/// When the pipe cannot be read.
pub fn next_line(pipe: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let mut left_out = 0;
    let mut any = false;
    loop {
        let piece = match pipe.fill_buf() {
            Ok(piece) => piece,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if piece.is_empty() {
            break;
        }
        any = true;
        let end = piece.iter().position(|&byte| byte == b'\n');
        line.extend_from_slice(&piece[..end.unwrap_or(piece.len())]);
        let used = end.map_or(piece.len(), |end| end + 1);
        pipe.consume(used);
        if line.len() > 2 * LONGEST {
            left_out += line.len() - LONGEST;
            line.drain(END..line.len() - END);
        }
        if end.is_some() {
            break;
        }
    }
    if !any {
        return Ok(None);
    }
    if left_out > 0 || line.len() > LONGEST {
        line = shortened(&line, left_out);
    }
    Ok(Some(line))
}

/// Head and tail of a line of whose middle `left_out` bytes are gone already.
fn shortened(line: &[u8], mut left_out: usize) -> Vec<u8> {
    let (mut head, mut tail) = (&line[..END], &line[line.len() - END..]);
    left_out += line.len() - 2 * END;
    // Neither in the middle of a character nor of an escape.
    let whole = head.len() - ESCAPE;
    if let Some(at) = head[whole..].iter().position(|&byte| byte == b'\\') {
        head = &head[..whole + at];
        while let Some((b'\\', before)) = head.split_last() {
            head = before;
        }
    }
    if let Err(error) = std::str::from_utf8(head) {
        // Text that is none anyway stays as it is.
        if error.error_len().is_none() {
            head = &head[..error.valid_up_to()];
        }
    }
    // No escape reaches over the beginning of a row of backslashes, nor over six other bytes.
    let clean = |&at: &usize| {
        let begins = tail[at] == b'\\' && tail[at - 1] != b'\\';
        begins || at >= ESCAPE && !tail[at - ESCAPE..at].contains(&b'\\')
    };
    tail = &tail[(1..tail.len()).find(clean).unwrap_or(tail.len())..];
    while let Some((0x80..=0xBF, after)) = tail.split_first() {
        tail = after;
    }
    left_out += 2 * END - head.len() - tail.len();
    let mark = format!(" … {left_out} bytes are left out here … ");
    [head, mark.as_bytes(), tail].concat()
}

/// A text of whose middle so much is left out that it is no longer than `longest` bytes and a few.
pub(crate) fn shorten(text: String, longest: usize) -> String {
    if text.len() <= longest {
        return text;
    }
    let head = text.floor_char_boundary(longest / 2);
    let tail = text.ceil_char_boundary(text.len() - longest / 2);
    let left_out = tail - head;
    format!("{} … {left_out} bytes are left out here … {}", &text[..head], &text[tail..])
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use serde_json::{Value, json};

    use super::*;

    fn all(text: &[u8]) -> Vec<Vec<u8>> {
        let mut pipe = BufReader::with_capacity(1000, text);
        std::iter::from_fn(|| next_line(&mut pipe).unwrap()).collect()
    }

    #[test]
    fn lines_come_out_as_they_went_in() {
        assert_eq!(all(b"one\n\ntwo\nrest"), [&b"one"[..], b"", b"two", b"rest"]);
        assert_eq!(all(b""), Vec::<Vec<u8>>::new());
        let long = vec![b'x'; LONGEST];
        assert_eq!(all(&[&long[..], b"\n", &long].concat()), [long.clone(), long]);
    }

    #[test]
    fn of_a_long_one_head_and_tail_stay_and_json_stays_json() {
        for middle in ["x", "ä", "\n", "\\\"", "𝄞ab", "\u{1}\u{2}z"] {
            for count in [LONGEST, LONGEST + 1, 7 * LONGEST + 5] {
                let message = format!("begin{}end", middle.repeat(count / middle.len()));
                let event =
                    json!({ "event": "failed", "code": "c", "message": message, "help": "h" });
                let lines = all(format!("{event}\nnext\n").as_bytes());
                assert_eq!(lines.len(), 2);
                assert!(lines[0].len() < LONGEST + 100);
                let event: Value = serde_json::from_slice(&lines[0]).unwrap();
                let message = event["message"].as_str().unwrap();
                assert!(message.starts_with("begin") && message.ends_with("end"), "{middle:?}");
                assert!(message.contains("bytes are left out here"));
                assert_eq!((&event["code"], &event["help"]), (&json!("c"), &json!("h")));
                assert_eq!(lines[1], b"next");
            }
        }
    }

    #[test]
    fn nothing_that_a_program_prints_is_a_problem() {
        for byte in [b'\\', 0, 0x80, 0xFF, 0xC3, b'"'] {
            assert_eq!(all(&vec![byte; 3 * LONGEST]).len(), 1);
        }
    }

    #[test]
    fn texts_are_shortened_between_characters() {
        assert_eq!(shorten("short".to_owned(), 5), "short");
        let text = shorten("ä".repeat(1000), 101);
        assert!(text.starts_with("ää") && text.ends_with("ää") && text.len() < 150, "{text}");
    }
}
