-- Posts that are repeated by a rule, slots of a queue, and what a calendar looks up. See host/src/{schedules,queue,calendar}.rs.

create table schedules (
    id blob primary key,
    workspace_id blob not null references workspaces (id),
    author_id blob not null references users (id),
    name text,                                   -- for a person
    connection_id blob not null,                 -- kept when the connection is gone
    post text not null,                          -- JSON: what to publish each time
    rule text not null,                          -- RFC 5545, without `RRULE:`
    zone text not null,                          -- IANA name
    starts_at text not null,                     -- DTSTART, the time on the wall: 2027-01-31T09:00:00
    rdates text not null,                        -- JSON: further times on the wall
    exdates text not null,                       -- JSON: times on the wall, or days, that are left out
    missed text not null,                        -- skip | publish: what becomes of an occurrence that is late beyond the grace
    grace_s integer not null,
    state text not null,                         -- active | paused | ended | deleted
    planned_until integer not null,              -- what is due up to this moment has its row
    idempotency_key text,                        -- the client's, unique in the workspace
    request_digest text not null,                -- SHA-256 in hex of what was asked for
    created_at integer not null,
    updated_at integer not null,
    unique (workspace_id, idempotency_key)
) strict;
create index schedules_by_workspace on schedules (workspace_id, id);

-- Each time that a rule names, once.
create table schedule_occurrences (
    id blob primary key,
    workspace_id blob not null references workspaces (id),
    schedule_id blob not null references schedules (id),
    due_at integer not null,
    wall text not null,                          -- the same on the wall of the schedule's zone
    state text not null,                         -- planned | taken | skipped | cancelled
    code text,                                   -- why it was skipped or cancelled, or cannot be taken yet
    reason text,                                 -- the same for a person
    publication_id blob references publications (id), -- null until it is taken
    updated_at integer not null,
    unique (schedule_id, due_at)
) strict;
create index schedule_occurrences_by_time on schedule_occurrences (workspace_id, due_at);
create index schedule_occurrences_by_publication on schedule_occurrences (publication_id);

-- After that it does not go out any more, unless it has begun; null where it may be late.
alter table publications add column not_after integer;
create index publications_by_time on publications (workspace_id, (coalesce(publish_at, created_at)), id);

-- The week of a connection's queue.
create table connection_slots (
    connection_id blob primary key references connections (id) on delete cascade,
    workspace_id blob not null references workspaces (id),
    zone text not null,                          -- IANA name
    slots text not null,                         -- JSON: [{"weekday", "time"}]
    updated_at integer not null
) strict;

-- Slots that are taken: each by one publication.
create table queue_places (
    connection_id blob not null,                 -- kept when the connection is gone
    due_at integer not null,
    workspace_id blob not null references workspaces (id),
    publication_id blob not null,                -- written after its place, in the same transaction
    primary key (connection_id, due_at)
) strict;
create index queue_places_by_publication on queue_places (publication_id);
