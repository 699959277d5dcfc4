-- How much may be spent. See host/src/ledger/caps.rs.

create table credit_caps (
    workspace_id blob not null references workspaces (id),
    scope text not null,                         -- workspace | each_member | member
    subject blob not null,                       -- the member's user id; the workspace's own id for the other scopes
    period text not null,                        -- day | month, in UTC
    credits integer not null check (credits >= 0),
    set_by blob not null references users (id),
    updated_at integer not null,
    primary key (workspace_id, scope, subject, period)
) strict;
