-- Apps at vendors, and what keeps connections alive. See host/src/connectors/{apps,refreshing}.rs.

-- Apps that minted tokens. A token is refreshed as the app that minted it, whatever is configured by then.
create table connector_apps (
    id blob primary key,
    workspace_id blob references workspaces (id), -- null for the installation's own
    connector text not null,
    client_id text not null,
    sealed_secret blob,                         -- null for a public client
    in_use integer not null,                     -- 1 if new connections of the workspace use it
    created_at integer not null,
    updated_at integer not null
) strict;
create unique index connector_apps_of_workspaces on connector_apps (workspace_id, connector, client_id)
    where workspace_id is not null;
create unique index connector_apps_of_the_installation on connector_apps (connector, client_id)
    where workspace_id is null;

alter table oauth_states add column app_id blob references connector_apps (id);

alter table connections add column app_id blob references connector_apps (id); -- what minted its tokens; null without OAuth
alter table connections add column missing_scopes text not null default ''; -- asked for and not granted, separated by spaces
alter table connections add column refreshed_at integer;     -- when its tokens were last minted
alter table connections add column refresh_after integer;    -- no refresh before; null where the last one did not fail
alter table connections add column refresh_failures integer not null default 0; -- in a row
alter table connections add column refresh_words text;     -- what the last failure was, for a person
alter table connections add column refreshing_until integer; -- one node refreshes until then; null where none does
alter table connections add column refreshing_by blob;   -- the attempt that does
alter table connections add column revoked_at integer;       -- when the vendor was seen not to honour it; null while active
alter table connections add column target_count integer not null default 0; -- rows of connection_targets
create index connections_by_refresh on connections (state, refreshed_at);

-- What an account may post to, where that is more than itself.
create table connection_targets (
    connection_id blob not null references connections (id) on delete cascade,
    workspace_id blob not null references workspaces (id),
    id text not null,                            -- the vendor's
    name text not null,
    kind text not null,                          -- page | blog | board | …
    position integer not null,                   -- as the vendor lists them
    chosen integer not null,                     -- 1 if the workspace posts to it
    primary key (connection_id, id)
) strict;

alter table publications add column target text;           -- which of them; null for the account itself
