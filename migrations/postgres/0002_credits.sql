-- Credits: a ledger of two-phase transfers per workspace.

create table credit_accounts (
    workspace_id uuid primary key references workspaces (id),
    posted bigint not null check (posted >= 0),  -- credits owned
    held bigint not null check (held >= 0),      -- of these, reserved by open holds
    check (held <= posted)                       -- available = posted - held, never negative
);

create table credit_holds (
    id uuid primary key,
    workspace_id uuid not null references workspaces (id),
    operation text not null,                     -- the metered operation
    amount bigint not null check (amount >= 0),  -- the quoted price
    state text not null,                         -- open | settled | released
    created_at bigint not null,
    resolved_at bigint                           -- null while open
);
create index credit_holds_open on credit_holds (workspace_id, state);

-- Immutable: each change of an account, with what the account was after it.
create table credit_transactions (
    id uuid primary key,
    workspace_id uuid not null references workspaces (id),
    sequence bigint not null,                    -- 1, 2, 3 … within the workspace
    kind text not null,                          -- grant | hold | settle | release
    amount bigint not null,                      -- credits moved, never negative
    posted_delta bigint not null,                -- change of posted
    held_delta bigint not null,                  -- change of held
    posted_after bigint not null,
    held_after bigint not null,
    hold_id uuid references credit_holds (id),
    key text not null,                           -- idempotency key of the change
    description text not null,                   -- for a person
    created_at bigint not null,
    unique (workspace_id, key),
    unique (workspace_id, sequence)
);

-- What operations cost. An operation without a row cannot be run.
create table prices (
    operation text primary key,
    credits bigint not null check (credits >= 0),
    updated_at bigint not null
);

insert into prices (operation, credits, updated_at) values
    ('publish', 0, 0),
    ('blog_generation', 50, 0),
    ('carousel_generation', 30, 0),
    ('social_caption', 10, 0),
    ('comment_reply', 5, 0),
    ('image_generation', 20, 0),
    ('video_generation', 200, 0),
    ('competitor_analysis', 25, 0),
    ('strategy_synthesis', 40, 0);
