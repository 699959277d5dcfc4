-- How much may be spent. See host/src/ledger/caps.rs.

create table credit_caps (
    workspace_id uuid not null references workspaces (id),
    scope text not null,                         -- workspace | each_member | member
    subject uuid not null,                       -- the member's user id; the workspace's own id for the other scopes
    period text not null,                        -- day | month, in UTC
    credits bigint not null check (credits >= 0),
    set_by uuid not null references users (id),
    updated_at bigint not null,
    primary key (workspace_id, scope, subject, period)
);
