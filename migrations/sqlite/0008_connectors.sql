-- Which connectors there are, what they may do, and who decided it.

-- Components that were admitted.
create table connector_releases (
    digest text primary key,                     -- SHA-256 in hex of the component
    connector text not null,                     -- the connector's id, by its manifest
    version text not null,
    manifest text not null,                      -- JSON, as the component described itself at admission
    component blob not null,                    -- the component's bytes
    size_bytes integer not null,
    installed_by text not null,                  -- who, as in connector_events
    installed_at integer not null,
    activated_at integer,                         -- last; null while it is only staged
    distrusted_at integer                         -- when the host took it back because it trapped; null otherwise
) strict;
create index connector_releases_by_connector on connector_releases (connector, installed_at);

create table connectors (
    id text primary key,
    active text references connector_releases (digest),   -- what new runs use; null while nothing was activated
    previous text references connector_releases (digest), -- what a rollback goes back to
    state text not null,                         -- enabled | disabled
    granted text not null,                       -- JSON: what the operator allows it, see asks.rs
    updated_at integer not null
) strict;

-- What was done to connectors, by whom.
create table connector_events (
    id blob primary key,
    connector text not null,
    release text,                                -- the digest; null where it is about no release
    action text not null,                        -- install | activate | rollback | take_back | disable | enable | grant | remove
    actor text not null,                         -- user:<id> | command | folder | host
    detail text not null,                        -- a sentence for a person
    at integer not null
) strict;
create index connector_events_by_connector on connector_events (connector, id);

-- One row that counts the changes above: every node looks at it each second.
create table connector_generation (
    id integer primary key,                       -- always 1
    generation integer not null
) strict;
insert into connector_generation (id, generation) values (1, 1);
