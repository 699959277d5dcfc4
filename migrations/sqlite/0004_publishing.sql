-- Publications, the runs that carry them out, and what the runs did to the world.

create table publications (
    id blob primary key,
    workspace_id blob not null references workspaces (id),
    author_id blob not null references users (id),
    connection_id blob not null,                 -- kept when the connection is gone
    connector text not null,
    platform text not null,
    parts text not null,                         -- JSON: [{"text", "media": [{"url", "alt_text"}]}]
    state text not null,                         -- due | running | pending | uncertain | published | failed
    receipt text,                                -- JSON; null until published
    fault text,                                  -- JSON; why it failed or waits
    attempts integer not null,                   -- runs of the connector so far
    idempotency_key text,                        -- the client's, unique in the workspace
    request_digest text not null,                -- SHA-256 in hex of what was asked for
    hold_id blob references credit_holds (id),   -- the credits reserved; null when it costs nothing
    price integer not null,                  -- credits reserved, or charged once published
    created_at integer not null,
    updated_at integer not null,
    finished_at integer,
    unique (workspace_id, idempotency_key)
) strict;
create index publications_by_workspace on publications (workspace_id, id);

-- The media of a publication, fetched once.
create table publication_media (
    publication_id blob not null references publications (id),
    part integer not null,
    position integer not null,
    blob_id blob not null references blobs (id),
    primary key (publication_id, part, position)
) strict;

-- Each move of a publication, with its reason.
create table publication_events (
    id blob primary key,
    publication_id blob not null references publications (id),
    attempt integer not null,                    -- the attempt it belongs to; 0 before the first
    state text not null,                         -- the state after the move
    reason text not null,                        -- a sentence for a person
    meter text,                                  -- JSON: what the attempt used; null for other moves
    at integer not null
) strict;
create index publication_events_by_publication on publication_events (publication_id, id);

-- A piece of work for a connector, pinned to the release that began it.
create table runs (
    id blob primary key,                         -- the publication's id
    workspace_id blob not null references workspaces (id),
    connection_id blob not null,
    connector text not null,
    release text not null,                       -- SHA-256 in hex of the component
    seed integer not null,                       -- of the guest's clock and randomness: a re-run sees the same
    started_at integer not null                  -- what the guest's clock shows
) strict;

-- The effect journal.
create table effects (
    run_id blob not null references runs (id),
    sequence integer not null,                   -- 1, 2, 3 … within the run
    kind text not null,                          -- prepare | commit
    key text not null,                           -- the connector's name of the step
    digest text not null,                        -- SHA-256 in hex of the request
    state text not null,                         -- started | done | refused | unknown | known | absent
    answer text,                                 -- JSON: the vendor's answer, without secrets; or what is known of it
    sent_at integer not null,                    -- when its first byte may have left
    valid_until integer,                         -- until when a prepared answer may be used
    looks integer not null,                      -- looks past visible-after that found nothing
    updated_at integer not null,
    primary key (run_id, sequence),
    unique (run_id, key)
) strict;
