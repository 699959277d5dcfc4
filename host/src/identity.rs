//! Who people are: accounts, the proof of an address, passwords, sessions and their tokens.
//!
//! Owns the tables `users`, `workspaces`, `memberships`, `sessions` and `email_tokens`. It knows nothing of HTTP,
//! and of credits only that a new workspace has an account with a grant on it.

mod accounts;
mod attempts;
mod email;
mod members;
pub mod passwords;
pub mod sessions;
pub mod tokens;
pub mod verification;

pub use accounts::{Me, NewUser, WorkspaceSummary, create_admin, create_verified, me, register};
pub(crate) use members::{check_may_manage, check_members};

use crate::id::{SessionId, UserId, WorkspaceId};

/// What a person may do on this server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, sqlx::Type, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Role {
    /// Use it.
    User,
    /// Look after the people of an organisation.
    OrgAdmin,
    /// Operate the server.
    SystemAdmin,
}

/// Who asks: a person in a live session, acting in a workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    /// The person.
    pub user: UserId,
    /// The tenant that the person acts in: the personal workspace.
    pub workspace: WorkspaceId,
    /// The person's role as it is now, whatever the token says.
    pub role: Role,
    /// The session.
    pub session: SessionId,
}
