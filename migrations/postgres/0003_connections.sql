-- Accounts at vendors, and the secrets to act for them.

create table connections (
    id uuid primary key,
    workspace_id uuid not null references workspaces (id),
    connector text not null,                     -- the connector's id
    platform text not null,                      -- the network's name in the API
    vendor_id text not null,                     -- the vendor's id of the account
    handle text not null,                        -- the vendor's handle, without @
    display_name text,
    scopes text not null,                        -- granted, as the vendor named them
    state text not null,                         -- active | revoked
    connected_by uuid not null references users (id),
    created_at bigint not null,
    updated_at bigint not null,
    unique (workspace_id, connector, vendor_id)
);

create table connection_secrets (
    connection_id uuid not null references connections (id) on delete cascade,
    workspace_id uuid not null references workspaces (id),
    name text not null,                          -- access_token | refresh_token
    sealed bytea not null,                       -- AEAD under the master key; this row's identity is associated data
    expires_at bigint,                           -- null where the vendor sets no end
    updated_at bigint not null,
    primary key (connection_id, name)
);

-- Authorizations under way.
create table oauth_states (
    state_hash text primary key,                 -- SHA-256 in hex of the state parameter
    workspace_id uuid not null references workspaces (id),
    user_id uuid not null references users (id),
    connector text not null,
    redirect_uri text not null,                  -- sent again at the exchange, to the letter
    browser_hash text not null,                  -- SHA-256 in hex of the cookie of the browser that began it
    sealed_verifier bytea not null,              -- the PKCE verifier
    expires_at bigint not null,
    used_at bigint                               -- null until the callback; single use
);

-- Bytes that the host stores. The bytes are in the blob store under workspace and id.
create table blobs (
    id uuid primary key,
    workspace_id uuid not null references workspaces (id),
    sha256 text not null,                        -- lowercase hex
    size_bytes bigint not null,
    content_type text not null,                  -- as found in the bytes
    created_at bigint not null
);
create index blobs_by_digest on blobs (workspace_id, sha256);
