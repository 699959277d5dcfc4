-- What is told to the outside: an outbox, and who gets what of it. See host/src/events.rs and host/src/webhooks.rs.

-- Where a workspace wants to be told.
create table webhook_endpoints (
    id uuid primary key,
    workspace_id uuid not null references workspaces (id),
    url text not null,
    types text not null,                         -- what it wants to be told, separated by spaces; empty for everything
    description text not null,                   -- the workspace's own words; may be empty
    state text not null,                         -- active | paused | disabled
    reason text,                                 -- why it is not active, for a person; null while it is
    failures bigint not null,                   -- attempts in a row that failed
    failing_since bigint,                       -- when the first of them did; null after one that did not
    quiet_until bigint,                         -- nothing is sent before, since it asked for a pause; null where it did not
    created_by uuid not null references users (id), -- whom we write to when it is paused
    created_at bigint not null,
    updated_at bigint not null
);
create index webhook_endpoints_by_workspace on webhook_endpoints (workspace_id);

-- What signs that which is sent to it: several for a while after a rotation.
create table webhook_secrets (
    id uuid primary key,
    endpoint_id uuid not null references webhook_endpoints (id) on delete cascade,
    workspace_id uuid not null references workspaces (id),
    sealed bytea not null,                        -- AEAD under the workspace's data key; this row's identity is associated data
    created_at bigint not null,
    ends_at bigint                              -- from when on it signs nothing; null for the newest
);
create index webhook_secrets_by_endpoint on webhook_secrets (endpoint_id);

-- The outbox: written in the transaction of the change that it tells of, where somebody wants to be told.
create table events (
    id uuid primary key,                         -- UUIDv7; the receiver's `webhook-id`, however often it is sent
    workspace_id uuid not null references workspaces (id),
    type text not null,                          -- such as publication.published
    subject uuid not null,                       -- what it is about: a publication, a connection, a workspace, an endpoint
    sequence bigint not null,                   -- later events of a subject have greater numbers
    data text not null,                          -- JSON
    created_at bigint not null,
    unique (subject, sequence)
);
create index events_by_workspace on events (workspace_id, id);
create index events_by_age on events (created_at);

-- An event on its way to an endpoint.
create table deliveries (
    endpoint_id uuid not null references webhook_endpoints (id) on delete cascade,
    event_id uuid not null references events (id) on delete cascade,
    workspace_id uuid not null references workspaces (id),
    subject uuid not null,                       -- the event's, and so is the next
    sequence bigint not null,
    state text not null,                         -- waiting (for an earlier one of its subject) | pending | delivered | failed
    attempts bigint not null,                   -- claims so far
    next_at bigint,                             -- when a pending one may be claimed; a claimed one, when its claim lapses
    lease uuid,                                  -- the claim; null while nobody sends it
    status bigint,                              -- of the last answer; null where there was none
    words text,                                  -- what came of the last attempt, for a person; null before it
    excerpt text,                                -- the beginning of the last answer
    created_at bigint not null,
    finished_at bigint,                         -- null while it is waiting or pending
    primary key (endpoint_id, event_id)
);
create index deliveries_by_event on deliveries (event_id);
create index deliveries_due on deliveries (endpoint_id, next_at) where state = 'pending';
create index deliveries_unfinished on deliveries (subject, endpoint_id, sequence) where finished_at is null;

-- Below how many available credits the workspace is told; null where it does not want to be.
alter table credit_accounts add column low_below bigint;
-- 1 while fewer are available than that: it is told once for each time that it sinks below.
alter table credit_accounts add column is_low bigint not null default 0;
