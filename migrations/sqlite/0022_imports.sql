-- Files of posts that are taken in row by row. See host/src/imports.rs.

create table imports (
    id blob primary key,
    workspace_id blob not null references workspaces (id),
    author_id blob not null references users (id),
    state text not null,                         -- running | done | failed (nothing was taken in)
    all_or_nothing integer not null,             -- 1 if one bad row refuses all
    idempotency_key text,                        -- the client's, unique in the workspace
    request_digest text not null,                -- SHA-256 in hex of the rows
    created_at integer not null,
    updated_at integer not null,
    finished_at integer,
    unique (workspace_id, idempotency_key)
) strict;
create index imports_by_workspace on imports (workspace_id, id);

create table import_rows (
    import_id blob not null references imports (id),
    number integer not null,                     -- 1, 2, 3 … as in the file
    workspace_id blob not null references workspaces (id),
    key text not null,                           -- idempotency key of its publication
    wish text,                                   -- JSON: what to publish and when; null where the row cannot be read
    state text not null,                         -- waiting | taken | refused
    publication_id blob references publications (id),
    code text,                                   -- of a refused row
    field text,
    detail text,                                 -- for a person
    primary key (import_id, number)
) strict;
