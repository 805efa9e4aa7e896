//! Distinguishes programs on this machine from web pages.
//!
//! A browser lets every web page send requests to loopback ports. It adds the header `Origin` to
//! the requests of pages, except to a `GET` of the page's own origin and to a `GET` whose answer the
//! page cannot read. A page whose host name resolves to this machine (DNS rebinding) can read
//! answers, but its requests name that host.

use axum::http::header::{HOST, ORIGIN};
use axum::http::request::Parts;
use axum::http::uri::Authority;

/// Names of the loopback interface, on which the ports listen.
const LOOPBACK: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];

/// Returns whether a request names the loopback interface as its host. It must have exactly one
/// header `Host`. A host in the request line must be a loopback name too.
pub(crate) fn names_this_machine(parts: &Parts) -> bool {
    host(parts).is_some_and(|host| is_loopback(&host))
        && parts.uri.authority().is_none_or(is_loopback)
}

/// Returns whether the request has a header `Origin`, which a browser adds for a web page. The
/// module comment lists the exceptions.
pub(crate) fn is_from_a_page(parts: &Parts) -> bool {
    parts.headers.contains_key(ORIGIN)
}

/// Returns whether the header `Origin` names another server. A request without the header counts as
/// one of this server.
pub(crate) fn is_from_another_page(parts: &Parts) -> bool {
    let own = host(parts).map(|host| format!("http://{host}"));
    parts.headers.get_all(ORIGIN).iter().any(|origin| {
        let origin = origin.to_str().ok();
        origin.is_none() || origin != own.as_deref()
    })
}

fn host(parts: &Parts) -> Option<Authority> {
    let mut hosts = parts.headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => Authority::try_from(host.as_bytes()).ok(),
        _ => None,
    }
}

fn is_loopback(authority: &Authority) -> bool {
    LOOPBACK.iter().any(|name| authority.host().eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn parts(uri: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn only_loopback_names_are_this_machine() {
        for host in
            ["127.0.0.1", "127.0.0.1:8080", "localhost:1", "LOCALHOST", "[::1]", "[::1]:8080"]
        {
            assert!(names_this_machine(&parts("/", &[("host", host)])), "{host}");
        }
        for host in [
            "evil.example",
            "evil.example:8080",
            "127.0.0.1.evil.example",
            "localhost.evil.example:80",
            "127.0.0.1:80@evil.example",
            "evil.example#127.0.0.1",
            "evil.example/127.0.0.1",
            "0.0.0.0:80",
            "[::]:80",
            "",
        ] {
            assert!(!names_this_machine(&parts("/", &[("host", host)])), "{host}");
        }
        assert!(!names_this_machine(&parts("/", &[])));
        let two = [("host", "localhost"), ("host", "evil.example")];
        assert!(!names_this_machine(&parts("/", &two)));
        assert!(!names_this_machine(&parts("http://evil.example/", &[("host", "localhost")])));
        assert!(names_this_machine(&parts("http://localhost/", &[("host", "localhost")])));
    }

    #[test]
    fn only_the_own_origin_is_not_another_page() {
        let from = |origin: &str| {
            let parts = parts("/", &[("host", "127.0.0.1:8080"), ("origin", origin)]);
            assert!(is_from_a_page(&parts));
            is_from_another_page(&parts)
        };
        assert!(!from("http://127.0.0.1:8080"));
        for origin in [
            "https://evil.example",
            "http://127.0.0.1:3000",
            "https://127.0.0.1:8080",
            "http://127.0.0.1:8080.evil.example",
            "null",
            "",
        ] {
            assert!(from(origin), "{origin}");
        }
        assert!(!is_from_another_page(&parts("/", &[("host", "127.0.0.1:8080")])));
    }
}
