-- Credits: a ledger of two-phase transfers per workspace.

create table credit_accounts (
    workspace_id blob primary key references workspaces (id),
    posted integer not null check (posted >= 0), -- credits owned
    held integer not null check (held >= 0),     -- of these, reserved by open holds
    check (held <= posted)                       -- available = posted - held, never negative
) strict;

create table credit_holds (
    id blob primary key,
    workspace_id blob not null references workspaces (id),
    operation text not null,                     -- the metered operation
    amount integer not null check (amount >= 0), -- the quoted price
    state text not null,                         -- open | settled | released
    created_at integer not null,
    resolved_at integer                          -- null while open
) strict;
create index credit_holds_open on credit_holds (workspace_id, state);

-- Immutable: each change of an account, with what the account was after it.
create table credit_transactions (
    id blob primary key,
    workspace_id blob not null references workspaces (id),
    sequence integer not null,                   -- 1, 2, 3 … within the workspace
    kind text not null,                          -- grant | hold | settle | release
    amount integer not null,                     -- credits moved, never negative
    posted_delta integer not null,               -- change of posted
    held_delta integer not null,                 -- change of held
    posted_after integer not null,
    held_after integer not null,
    hold_id blob references credit_holds (id),
    key text not null,                           -- idempotency key of the change
    description text not null,                   -- for a person
    created_at integer not null,
    unique (workspace_id, key),
    unique (workspace_id, sequence)
) strict;

-- What operations cost. An operation without a row cannot be run.
create table prices (
    operation text primary key,
    credits integer not null check (credits >= 0),
    updated_at integer not null
) strict;

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
