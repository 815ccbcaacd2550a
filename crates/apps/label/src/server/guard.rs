//! Who may talk to the server: the page that was opened with the token, and nothing else that runs in
//! the same browser.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};

use super::App;

/// The port and the secret.
#[derive(Debug)]
pub(crate) struct Guard {
    pub(crate) port: u16,
    pub(crate) token: String,
}

impl Guard {
    /// The name of the cookie: browsers share cookies between the ports of a host.
    fn cookie(&self) -> String {
        format!("scarce-label-{}", self.port)
    }

    fn hosts(&self) -> [String; 2] {
        [format!("127.0.0.1:{}", self.port), format!("localhost:{}", self.port)]
    }

    /// A name that leads here by somebody else's name server has another `Host`.
    fn is_here(&self, headers: &HeaderMap) -> bool {
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        host.is_some_and(|host| self.hosts().iter().any(|known| known == host))
    }

    /// Whether a request that changes something comes from the page itself.
    fn is_own(&self, headers: &HeaderMap) -> bool {
        let origin = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
        let own = |origin: &str| {
            self.hosts().iter().any(|host| origin.strip_prefix("http://") == Some(host))
        };
        let site = headers.get("sec-fetch-site").and_then(|site| site.to_str().ok());
        origin.is_some_and(own) && site.is_none_or(|site| site == "same-origin")
    }

    fn knows_token(&self, headers: &HeaderMap) -> bool {
        let name = self.cookie();
        let cookies = headers.get_all(header::COOKIE).iter().filter_map(|text| text.to_str().ok());
        let mut pairs = cookies.flat_map(|text| text.split(';')).filter_map(|pair| {
            let (key, value) = pair.trim().split_once('=')?;
            (key == name).then_some(value)
        });
        pairs.any(|value| same(value, &self.token))
    }
}

/// Takes as long whatever the difference is.
fn same(a: &str, b: &str) -> bool {
    let differences = a.bytes().zip(b.bytes()).map(|(a, b)| a ^ b).fold(0, |all, one| all | one);
    a.len() == b.len() && differences == 0
}

pub(super) async fn check(State(app): State<App>, request: Request, next: Next) -> Response {
    let guard = &app.guard;
    let headers = request.headers();
    if !guard.is_here(headers) {
        return refuse("this server answers to 127.0.0.1 only");
    }
    // The address that was opened: the token moves into a cookie, and out of sight.
    if request.uri().path() == "/" && request.method() == Method::GET {
        let query = request.uri().query().unwrap_or_default();
        let token = query.split('&').find_map(|pair| pair.strip_prefix("token="));
        if let Some(token) = token {
            if !same(token, &guard.token) {
                return refuse(
                    "the token is wrong: open the address that `scarce label` printed last",
                );
            }
            let name = guard.cookie();
            let cookie = format!("{name}={token}; Path=/; HttpOnly; SameSite=Strict");
            let mut response = Redirect::to("/").into_response();
            if let Ok(cookie) = HeaderValue::from_str(&cookie) {
                response.headers_mut().insert(header::SET_COOKIE, cookie);
            }
            return secured(response);
        }
    }
    if !guard.knows_token(headers) {
        return refuse("open the address that `scarce label` printed: it holds a token");
    }
    if request.method() != Method::GET && !guard.is_own(headers) {
        return refuse("the request does not come from this page");
    }
    secured(next.run(request).await)
}

fn refuse(why: &str) -> Response {
    secured((StatusCode::FORBIDDEN, why.to_owned()).into_response())
}

/// Nothing of others is loaded, and nobody frames the page.
fn secured(mut response: Response) -> Response {
    let headers = response.headers_mut();
    let policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                  connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard() -> Guard {
        Guard { port: 4242, token: "abc".to_owned() }
    }

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let value = HeaderValue::from_static;
        pairs.iter().map(|(k, v)| (k.parse().unwrap(), value(v))).collect()
    }

    #[test]
    fn answers_to_its_own_name_and_port_only() {
        for (host, good) in [
            ("127.0.0.1:4242", true),
            ("localhost:4242", true),
            ("127.0.0.1", false),
            ("evil.example:4242", false),
            ("127.0.0.1:4243", false),
        ] {
            assert_eq!(guard().is_here(&headers(&[("host", host)])), good, "{host}");
        }
        assert!(!guard().is_here(&HeaderMap::new()));
    }

    #[test]
    fn changes_come_from_the_page_itself() {
        let own = [("origin", "http://127.0.0.1:4242")];
        assert!(guard().is_own(&headers(&own)));
        assert!(!guard().is_own(&HeaderMap::new()));
        assert!(!guard().is_own(&headers(&[("origin", "http://evil.example")])));
        assert!(!guard().is_own(&headers(&[("origin", "null")])));
        let other = [("origin", "http://127.0.0.1:4242"), ("sec-fetch-site", "cross-site")];
        assert!(!guard().is_own(&headers(&other)));
    }

    #[test]
    fn the_token_is_the_whole_token_of_this_port() {
        for (cookie, good) in [
            ("scarce-label-4242=abc", true),
            ("a=b; scarce-label-4242=abc", true),
            ("scarce-label-4243=abc", false),
            ("scarce-label-4242=ab", false),
            ("scarce-label-4242=abcd", false),
            ("scarce-label-4242=", false),
        ] {
            assert_eq!(guard().knows_token(&headers(&[("cookie", cookie)])), good, "{cookie}");
        }
    }
}
