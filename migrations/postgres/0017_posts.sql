-- Posts, drafts, what media are like, and what rules need to know of accounts.

-- What a person wrote at once: a publication for each account that it goes to. See host/src/posts.rs.
create table posts (
    id uuid primary key,
    workspace_id uuid not null references workspaces (id),
    author_id uuid not null references users (id),
    publish_at bigint,                          -- as it was wished for first; null for at once
    draft_id uuid,                               -- what it was made from; kept when the draft is gone
    draft_version bigint,
    idempotency_key text,                        -- the client's, unique in the workspace
    request_digest text not null,                -- SHA-256 in hex of what was asked for
    created_at bigint not null,
    unique (workspace_id, idempotency_key),
    unique (draft_id, draft_version)             -- a version goes out once
);
create index posts_by_workspace on posts (workspace_id, id);

alter table publications add column more text;              -- JSON: title, link, first_comment, privacy, extras; null for none
alter table publications add column post_id uuid references posts (id); -- null where it was wished for alone
alter table publications add column completes uuid references publications (id); -- whose missing parts it publishes
create index publications_by_post on publications (workspace_id, post_id) where post_id is not null;
-- One completion of each: two would post the same part.
create unique index publications_completing on publications (completes) where completes is not null;

-- Posts that are being written. See host/src/drafts.rs.
create table drafts (
    id uuid primary key,
    workspace_id uuid not null references workspaces (id),
    author_id uuid not null references users (id),
    version bigint not null,                    -- goes up with each save
    name text,                                   -- for a person
    content text not null,                       -- JSON, as a post is wished for; may be incomplete
    post_id uuid references posts (id),          -- what was made of it last; null while it is unused
    used_version bigint,                        -- of which version
    created_at bigint not null,
    updated_at bigint not null
);
create index drafts_by_workspace on drafts (workspace_id, id);

-- What drafts were, the newest hundred versions of each.
create table draft_versions (
    draft_id uuid not null references drafts (id) on delete cascade,
    workspace_id uuid not null references workspaces (id),
    version bigint not null,
    author_id uuid not null references users (id),
    name text,
    content text not null,                       -- JSON
    restores bigint,                            -- the version that was taken up again; null where it was written
    created_at bigint not null,
    primary key (draft_id, version)
);

-- What a medium is like, as its first bytes say; null where they do not, and for those stored before.
alter table blobs add column width bigint;                 -- pixels
alter table blobs add column height bigint;
alter table blobs add column duration_ms bigint;

-- Media as people named them, so that one is fetched once. See host/src/publications/sources.rs.
create table media_sources (
    workspace_id uuid not null references workspaces (id),
    url_digest text not null,                    -- SHA-256 in hex of the URL
    blob_id uuid not null references blobs (id),
    fetched_at bigint not null,
    primary key (workspace_id, url_digest)
);

-- Media that the host made of others for networks that take nothing else. See host/src/publications/converting.rs.
create table converted_blobs (
    source_id uuid not null references blobs (id),
    content_type text not null,                  -- what it became
    workspace_id uuid not null references workspaces (id),
    blob_id uuid not null references blobs (id),
    created_at bigint not null,
    primary key (source_id, content_type)
);

-- What vendors say of accounts that the rules of posts need. See host/src/connecting/facts.rs.
create table account_facts (
    connection_id uuid not null references connections (id) on delete cascade,
    target text not null,                        -- the vendor's id; empty for the account itself
    workspace_id uuid not null references workspaces (id),
    facts text not null,                         -- JSON: [{"name", "value"}]
    fetched_at bigint,                          -- null where the vendor has not said it yet
    asked_at bigint not null,                   -- when it was asked last, whatever came of it
    primary key (connection_id, target)
);
