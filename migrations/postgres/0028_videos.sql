-- Videos that a model makes for credits. See host/src/videos.rs.

create table videos (
    id uuid primary key,                         -- the run's id as well
    workspace_id uuid not null references workspaces (id),
    author_id uuid not null references users (id),
    connection_id uuid not null,                 -- the account in whose name it is made; may have been removed since
    connector text not null,
    target text,                                 -- what it is made for, where the account has several
    wish text not null,                          -- JSON: what is to be seen
    settings text not null,                      -- JSON: the operator's settings of the connector when it was taken in
    image_id uuid references blobs (id),         -- what it begins with
    state text not null,                         -- due | running | pending | completed | failed | uncertain | cancelled
    percent bigint,                             -- how much is done, as the vendor last said; null where it says nothing
    words text,                                  -- what the vendor last said of it
    begun_at bigint,                            -- when the vendor was seen to have begun it
    blob_id uuid references blobs (id),          -- the video
    model text,                                  -- the vendor's name of the model that made it
    fault text,                                  -- JSON: why it failed, or waits
    meter text,                                  -- JSON: what its calls have used together
    receipt text,                                -- JSON: what it used and cost; null until it has ended
    hold_id uuid references credit_holds (id),   -- the credits reserved; null when it costs nothing
    price bigint not null,                      -- credits reserved
    attempts bigint not null,                   -- calls of the connector so far
    setbacks bigint not null,                   -- failures in passing in a row
    idempotency_key text,                        -- the client's, unique in the workspace
    request_digest text not null,                -- SHA-256 in hex of what was asked for
    created_at bigint not null,
    updated_at bigint not null,
    finished_at bigint,
    unique (workspace_id, idempotency_key)
);
create index videos_by_workspace on videos (workspace_id, id);

-- The run that received a blob from its vendor and has not yet said what for: what a host that died left behind.
alter table blobs add column received_by uuid;
create index blobs_by_receiver on blobs (received_by) where received_by is not null;
