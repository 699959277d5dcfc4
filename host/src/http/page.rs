//! The plain pages that a person sees when no web console is configured.

use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};

/// A page with a headline and a sentence.
pub(super) fn page(status: StatusCode, headline: &str, sentence: &str) -> Response {
    let html = format!(
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\">\
         <title>{0} – Orla</title><style>body{{font:16px/1.5 system-ui;max-width:34rem;margin:15vh auto;padding:0 1rem;\
         color:#1c2430}}h1{{font-size:1.4rem}}</style><h1>{0}</h1><p>{1}</p></html>",
        escape(headline),
        escape(sentence),
    );
    (status, Html(html)).into_response()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
