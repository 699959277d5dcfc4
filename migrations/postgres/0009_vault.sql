-- The keys that secrets are sealed under, themselves sealed. See host/src/vault.rs.

-- One row: the master key in use, and the root key of what the host signs with.
create table vault (
    id integer primary key check (id = 1),
    master text not null,                        -- the master key's name; the key itself stands in a file
    sealed_root bytea not null,                   -- the root key, sealed under the master key
    created_at bigint not null,
    rotated_at bigint                              -- when the master key was last replaced; null if never
);

-- What a workspace's secrets are sealed under.
create table data_keys (
    id text primary key,                         -- the key's name, which sealed values begin with
    workspace_id uuid not null references workspaces (id),
    sealed bytea not null,                        -- the key, sealed under the master key
    created_at bigint not null,
    retired_at bigint                              -- from when on nothing new is sealed under it; null while it is in use
);
create unique index data_keys_in_use on data_keys (workspace_id) where retired_at is null;
create index data_keys_by_workspace on data_keys (workspace_id);
