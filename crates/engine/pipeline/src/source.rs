//! A text that problems point into, of which a diagnostic prints no more than can be read.

use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

/// Bytes of an excerpt; what has longer lines is cut around the place.
const MOST: usize = 4096;
/// Bytes on each side of the place that are left of a cut excerpt.
const AROUND: usize = 100;

/// A named text: the TOML file, or an argument of the command line.
#[derive(Debug)]
pub(crate) struct Source {
    name: String,
    text: String,
}

impl Source {
    pub(crate) fn new(name: impl Into<String>, text: String) -> Self {
        Self { name: name.into(), text }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Length of a label that begins at `start`, cut so that its end is on the screen too.
    pub(crate) fn shown(&self, start: usize, length: usize) -> usize {
        if length <= MOST / 2 {
            return length;
        }
        self.text.floor_char_boundary(start + AROUND).saturating_sub(start)
    }
}

/// As of a string, but for lines that are too long: of those only what is around the place.
impl SourceCode for Source {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        lines_before: usize,
        lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let whole = self.text.read_span(span, lines_before, lines_after)?;
        let (from, to) = (whole.span().offset(), whole.span().offset() + whole.span().len());
        let (mut start, mut end) = (from, to);
        if to - from > MOST {
            let last = (span.offset() + span.len()).min(span.offset() + MOST / 2);
            start = self.text.floor_char_boundary(from.max(span.offset().saturating_sub(AROUND)));
            end = self.text.ceil_char_boundary(to.min(last + AROUND));
        }
        let skipped = self.text[from..start].matches('\n').count();
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.clone(),
            &self.text.as_bytes()[start..end],
            (start, end - start).into(),
            whole.line() + skipped,
            whole.column(),
            whole.line_count(),
        )))
    }
}

/// A text of any length, cut to so many characters.
pub(crate) fn cut(mut text: String, most: usize) -> String {
    if let Some((end, _)) = text.char_indices().nth(most) {
        text.truncate(end);
        text.push('…');
    }
    text
}
