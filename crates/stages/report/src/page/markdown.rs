//! Text that people write into a pipeline, as they mean it: a safe part of Markdown.
//!
//! Paragraphs, emphasis, code, lists and links. Markup of HTML stays the text that it is, pictures
//! become their descriptions (nothing is fetched), and a link leads to the web or nowhere.

use maud::{Markup, PreEscaped};
use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html::push_html};

/// Whole paragraphs.
pub(super) fn blocks(text: &str) -> Markup {
    let mut out = String::new();
    push_html(&mut out, safe(text).into_iter());
    PreEscaped(out)
}

/// What stands within a paragraph.
pub(super) fn inline(text: &str) -> Markup {
    let mut out = String::new();
    let breaks = |event: &Event<'_>| {
        matches!(event, Event::Start(Tag::Paragraph) | Event::End(TagEnd::Paragraph))
    };
    push_html(&mut out, safe(text).into_iter().filter(|event| !breaks(event)));
    PreEscaped(out.trim_end().to_owned())
}

fn safe(text: &str) -> Vec<Event<'_>> {
    let mut links = Vec::new();
    Parser::new_ext(text, Options::empty()).filter_map(|event| allowed(event, &mut links)).collect()
}

/// An event, made safe; `links` remembers which of the open ones are kept.
fn allowed<'a>(event: Event<'a>, links: &mut Vec<bool>) -> Option<Event<'a>> {
    match event {
        Event::Html(markup) | Event::InlineHtml(markup) => Some(Event::Text(markup)),
        Event::Start(Tag::HtmlBlock) => Some(Event::Start(Tag::Paragraph)),
        Event::End(TagEnd::HtmlBlock) => Some(Event::End(TagEnd::Paragraph)),
        Event::Start(Tag::Image { .. }) | Event::End(TagEnd::Image) => None,
        Event::Start(Tag::Link { link_type, dest_url, .. }) => {
            let web = ["https://", "http://", "mailto:"];
            let kept = web.iter().any(|scheme| dest_url.starts_with(scheme));
            links.push(kept);
            let (title, id) = (CowStr::Borrowed(""), CowStr::Borrowed(""));
            kept.then_some(Event::Start(Tag::Link { link_type, dest_url, title, id }))
        }
        Event::End(TagEnd::Link) => links.pop().filter(|kept| *kept).map(|_| event),
        // The page has its own headings above.
        Event::Start(Tag::Heading { .. }) => Some(Event::Start(Tag::Heading {
            level: HeadingLevel::H3,
            id: None,
            classes: Vec::new(),
            attrs: Vec::new(),
        })),
        Event::End(TagEnd::Heading(_)) => Some(Event::End(TagEnd::Heading(HeadingLevel::H3))),
        other => Some(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emphasis_and_lists_are_understood() {
        let html = blocks("Ten *random* labels,\n**not** `all`.\n\n- one\n- two").into_string();
        assert!(
            html.contains("Ten <em>random</em> labels,\n<strong>not</strong> <code>all</code>.")
        );
        assert!(html.contains("<li>one</li>"), "{html}");
        assert_eq!(
            inline("one `encoder` for all").into_string(),
            "one <code>encoder</code> for all"
        );
    }

    #[test]
    fn nothing_of_it_runs_or_is_fetched() {
        let evil = "<script>x</script> a <b onclick=y>b</b>\n\n<img src=z>\n\n![pic](http://evil/p.png) \
                    [go](javascript:alert(1)) [to](https://a.org 'title')";
        let html = blocks(evil).into_string();
        assert!(
            !html.contains("<script") && !html.contains("<b ") && !html.contains("<img"),
            "{html}"
        );
        assert!(!html.contains("javascript:") && !html.contains("evil/p.png"), "{html}");
        assert!(
            html.contains("pic") && html.contains("<a href=\"https://a.org\">to</a>"),
            "{html}"
        );
    }

    #[test]
    fn plain_sentences_stay_as_they_are() {
        let plain = "2 * 3 * 4 labels, per_class = 1 and k_best = 5: 56 % ± 3.";
        assert_eq!(inline(plain).into_string(), plain);
    }
}
