-- Cloud drives. See host/src/drives.rs.

-- The vendor's id of the folder beyond which nothing of the drive is shown or fetched; null where all of it may be.
alter table connections add column root_folder text;

-- Files that were fetched from drives.
create table drive_imports (
    blob_id blob primary key references blobs (id),
    workspace_id blob not null references workspaces (id),
    connection_id blob not null,                 -- kept when the connection is gone
    name text not null,                          -- the file's
    idempotency_key text,                        -- the client's, unique in the workspace
    request_digest text not null,                -- SHA-256 in hex of what was asked for
    created_at integer not null,
    unique (workspace_id, idempotency_key)
) strict;
