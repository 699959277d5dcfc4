//! Refusals: `{"error": {"message", "type", "code", "fbtrace_id", …}}` (documented under "Handling errors").
//!
//! The words and numbers are those that clients of the real service report, as far as they could be found; what is
//! from memory only says so.

use axum::Json;
use axum::http::header::{CACHE_CONTROL, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::usage::Throttle;

const OAUTH: &str = "OAuthException";
const METHOD: &str = "GraphMethodException";

/// What the API answers instead of doing what was asked.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    pub(super) status: StatusCode,
    kind: &'static str,
    pub(super) code: u32,
    pub(super) subcode: Option<u32>,
    pub(super) message: String,
    /// `error_user_title` and `error_user_msg`.
    user: Option<(&'static str, &'static str)>,
    /// `error_data`.
    data: Option<Value>,
}

impl Problem {
    /// 400 with this code.
    pub(super) fn new(code: u32, message: impl Into<String>) -> Self {
        let (status, message) = (StatusCode::BAD_REQUEST, message.into());
        Self { status, kind: OAUTH, code, subcode: None, message, user: None, data: None }
    }

    fn forbidden(code: u32, message: impl Into<String>) -> Self {
        Self { status: StatusCode::FORBIDDEN, ..Self::new(code, message) }
    }

    pub(super) fn with_subcode(self, subcode: u32) -> Self {
        Self { subcode: Some(subcode), ..self }
    }

    /// The same with a title and words for the person who uses the app.
    pub(super) fn with_words(self, title: &'static str, message: &'static str) -> Self {
        Self { user: Some((title, message)), ..self }
    }

    /// 100: a parameter is wrong.
    pub(super) fn parameter(message: impl AsRef<str>) -> Self {
        Self::new(100, format!("(#100) {}", message.as_ref()))
    }

    /// 100 in the simulator's own words, for what Facebook would ignore or guess at.
    pub(super) fn strict(message: impl AsRef<str>) -> Self {
        Self::parameter(format!("The simulator is strict: {}", message.as_ref()))
    }

    /// 100/33: there is no such thing, or not for this token, or it cannot be done with it.
    pub(super) fn unsupported(method: &str, id: &str) -> Self {
        let message = format!(
            "Unsupported {} request. Object with ID '{id}' does not exist, cannot be loaded due to missing \
             permissions, or does not support this operation. Please read the Graph API documentation at \
             https://developers.facebook.com/docs/graph-api",
            method.to_lowercase()
        );
        Self { kind: METHOD, ..Self::new(100, message).with_subcode(33) }
    }

    /// 100: a field or an edge that nodes of this type do not have.
    pub(super) fn no_field(name: &str, node_type: &str) -> Self {
        Self::parameter(format!("Tried accessing nonexisting field ({name}) on node type ({node_type})"))
    }

    /// 2500: a path that leads nowhere.
    pub(super) fn no_path(path: &str) -> Self {
        Self::new(2500, format!("Unknown path components: /{path}"))
    }

    /// 2635: a version that is not alive any more.
    pub(super) fn expired_version(latest: &str) -> Self {
        let message = "You are calling a deprecated version of the Ads API. Please update to the latest version:";
        Self::new(2635, format!("(#2635) {message} {latest}."))
    }

    pub(super) fn no_token() -> Self {
        Self::new(2500, "An active access token must be used to query information about the current user.")
    }

    /// 190 without a subcode: no token looks like this.
    pub(super) fn unknown_token() -> Self {
        Self::new(190, "Invalid OAuth access token - Cannot parse access token")
    }

    /// 190 with a subcode: a token that worked once.
    pub(super) fn dead_token(subcode: u32, message: impl AsRef<str>) -> Self {
        Self::new(190, format!("Error validating access token: {}", message.as_ref())).with_subcode(subcode)
    }

    /// 190/2069032: a list that only pages can see, asked for with a person's token.
    pub(super) fn person_on_page() -> Self {
        let words = ("User Access Token Is Not Supported", "A Page access token is required for this call.");
        Self { user: Some(words), ..Self::new(190, "Invalid OAuth 2.0 Access Token").with_subcode(2_069_032) }
    }

    /// 210: a write that only pages can do, asked for with a person's token.
    pub(super) fn page_token_required() -> Self {
        Self::forbidden(210, "(#210) A page access token is required to request this resource.")
    }

    pub(super) fn wrong_proof() -> Self {
        Self { kind: METHOD, ..Self::new(100, "Invalid appsecret_proof provided in the API argument") }
    }

    pub(super) fn no_proof() -> Self {
        Self { kind: METHOD, ..Self::new(100, "API calls from the server require an appsecret_proof argument") }
    }

    /// 10: reading without the permission.
    pub(super) fn may_not_read(scope: &str) -> Self {
        Self::forbidden(
            10,
            format!(
                "(#10) This endpoint requires the '{scope}' permission or the 'Page Public Content Access' feature. \
                 Refer to https://developers.facebook.com/docs/apps/review/login-permissions#manage-pages for details."
            ),
        )
    }

    /// 200: posting without the permissions or the task.
    pub(super) fn may_not_post() -> Self {
        Self::forbidden(
            200,
            "(#200) If posting to a group, requires app being installed in the group, and either publish_to_groups \
             permission with user token, or both pages_read_engagement and pages_manage_posts permission with page \
             token; If posting to a page, requires both pages_read_engagement and pages_manage_posts as an admin with \
             sufficient administrative permission",
        )
    }

    /// 200: anything else without the permissions or the task.
    pub(super) fn may_not() -> Self {
        Self::forbidden(200, "(#200) Permissions error")
    }

    /// 506 (documented).
    pub(super) fn duplicate() -> Self {
        let words = ("Duplicate Status Update", "This status update is identical to the last one you posted.");
        Self { user: Some(words), ..Self::new(506, "(#506) Duplicate status message").with_subcode(1_455_006) }
    }

    /// 100/1366046: a file that is no photo, or too large.
    pub(super) fn unreadable_photo() -> Self {
        let words = (
            "Can't Read Files",
            "Your photos couldn't be uploaded. Photos should be less than 4 MB and saved as JPG, PNG, GIF or \
             TIFF files.",
        );
        Self { user: Some(words), ..Self::new(100, "Invalid parameter").with_subcode(1_366_046) }
    }

    /// 324/2069019: a photo that could not be fetched (from memory).
    pub(super) fn unfetched_photo() -> Self {
        let words = ("Missing or Invalid Image File", "The image file could not be downloaded from its URL.");
        Self { user: Some(words), ..Self::new(324, "Missing or invalid image file").with_subcode(2_069_019) }
    }

    /// 6000 with a subcode: an upload that went wrong (the numbers are from memory); `at` is where to go on.
    pub(super) fn upload(subcode: u32, message: &str, at: Option<(u64, u64)>) -> Self {
        let at = at.map(|(start, end)| json!({ "start_offset": start, "end_offset": end }));
        let words = ("Video Upload Problem", "There was a problem uploading your video file. Please try again.");
        Self { user: Some(words), data: at, ..Self::new(6000, message).with_subcode(subcode) }
    }

    pub(super) fn throttled(throttle: Throttle) -> Self {
        let (status, message) = match throttle {
            Throttle::App => (StatusCode::FORBIDDEN, "(#4) Application request limit reached"),
            Throttle::Person => (StatusCode::BAD_REQUEST, "(#17) User request limit reached"),
            Throttle::Page => (StatusCode::FORBIDDEN, "(#32) Page request limit reached"),
            Throttle::PageUseCase => (
                StatusCode::BAD_REQUEST,
                "(#80001) There have been too many calls to this Page account. Wait a bit and try again.",
            ),
        };
        Self { status, ..Self::new(throttle.code(), message) }
    }

    /// What Facebook says with this status when nothing better is known.
    pub(super) fn of(status: StatusCode) -> Self {
        let problem = match status {
            StatusCode::UNAUTHORIZED => Self::unknown_token(),
            StatusCode::FORBIDDEN => Self::may_not(),
            StatusCode::TOO_MANY_REQUESTS => Self::throttled(Throttle::App),
            StatusCode::SERVICE_UNAVAILABLE => Self::new(2, "Service temporarily unavailable"),
            status if status.is_server_error() => Self::new(1, "An unknown error has occurred."),
            _ => Self::parameter("Invalid parameter"),
        };
        Self { status, ..problem }
    }

    pub(super) fn body(&self) -> Value {
        let trace: u64 = rand::random();
        let mut error = json!({
            "message": self.message, "type": self.kind, "code": self.code, "fbtrace_id": format!("A{trace:016x}"),
        });
        if let Some(subcode) = self.subcode {
            error["error_subcode"] = subcode.into();
        }
        if let Some((title, message)) = self.user {
            error["error_user_title"] = title.into();
            error["error_user_msg"] = message.into();
        }
        if let Some(data) = &self.data {
            error["error_data"] = data.clone();
        }
        if self.code == 2 {
            error["is_transient"] = true.into();
        }
        json!({ "error": error })
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status, [(CACHE_CONTROL, "no-store")], Json(self.body())).into_response();
        if self.code == 190 {
            let challenge = format!(r#"OAuth "Facebook Platform" "invalid_token" "{}""#, self.message);
            if let Ok(challenge) = HeaderValue::try_from(challenge) {
                response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
            }
        }
        response
    }
}

/// An answer with this status in Facebook's manner.
pub(super) fn manner(status: StatusCode) -> Response {
    let mut response = Problem::of(status).into_response();
    if status == StatusCode::TOO_MANY_REQUESTS {
        response.headers_mut().extend(Throttle::App.headers(""));
    }
    response
}
