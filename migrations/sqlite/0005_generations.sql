-- Generations: texts that a model writes for credits.

create table generations (
    id blob primary key,                         -- the run's id as well
    workspace_id blob not null references workspaces (id),
    author_id blob not null references users (id),
    operation text not null,                     -- the metered operation, such as social_caption
    connector text not null,
    prompt text not null,                        -- the prompt's file and version, such as social_caption/1
    input text not null,                         -- JSON: what was asked for
    state text not null,                         -- running | completed | failed | stopped
    output text,                                 -- JSON: what was written; of a stopped one, as far as it came
    fault text,                                  -- JSON: why it failed
    receipt text,                                -- JSON: what it used and cost; null while running
    hold_id blob references credit_holds (id),    -- the credits reserved; null when it costs nothing
    price integer not null,                      -- credits reserved
    idempotency_key text,                        -- the client's, unique in the workspace
    request_digest text not null,                -- SHA-256 in hex of what was asked for
    created_at integer not null,
    finished_at integer,
    unique (workspace_id, idempotency_key)
) strict;
create index generations_by_workspace on generations (workspace_id, id);

-- A run is a publication's or a generation's; a publication names its connection itself.
alter table runs drop column connection_id;
