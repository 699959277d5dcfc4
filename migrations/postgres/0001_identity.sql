-- Who people are, and the tenants they act in.

create table users (
    id uuid primary key,                         -- UUIDv7; also the id of the personal workspace
    email text not null,                         -- as the person wrote it
    email_key text not null unique,              -- lowercased: what identifies the account
    password_hash text not null,                 -- argon2id, PHC string
    role text not null,                          -- user | org_admin | system_admin
    verified_at bigint,                          -- microseconds since 1970; null until the address is proven
    created_at bigint not null
);

create table workspaces (
    id uuid primary key,                         -- the tenant; a personal one has its user's id
    name text not null,
    created_at bigint not null
);

create table memberships (
    workspace_id uuid not null references workspaces (id),
    user_id uuid not null references users (id),
    role text not null,                          -- owner | member
    created_at bigint not null,
    primary key (workspace_id, user_id)
);

create table sessions (
    id uuid primary key,                         -- `sid` of the tokens
    user_id uuid not null references users (id),
    refresh_id uuid not null,                    -- `jti` of the one refresh token that counts
    previous_refresh_id uuid,                    -- the one before: its reuse is a race within seconds, a theft after
    rotated_at bigint not null,
    expires_at bigint not null,
    revoked_at bigint,                           -- null while the session lives
    created_at bigint not null
);
create index sessions_by_user on sessions (user_id);

create table email_tokens (
    id uuid primary key,                         -- UUIDv7; the mailed token is this id and its MAC, and is not stored
    user_id uuid not null references users (id),
    purpose text not null,                       -- verify_email
    password_hash text not null,                 -- what the account's password becomes when the link is opened
    expires_at bigint not null,
    used_at bigint,                              -- null while the link counts; single use
    created_at bigint not null
);
create index email_tokens_by_user on email_tokens (user_id);

-- Work to do later or again. Claimed by lease: a claim that is not renewed lapses.
create table jobs (
    id uuid primary key,
    kind text not null,                          -- the job's name in the list of jobs
    subject uuid not null,                       -- the row that it is about
    due_at bigint not null,
    lease uuid,                                  -- the claim; null while nobody works on it
    leased_until bigint,                         -- when the claim lapses
    attempts bigint not null,                    -- claims so far
    created_at bigint not null,
    unique (kind, subject)
);
create index jobs_due on jobs (due_at);
