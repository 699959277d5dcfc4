-- Who pays for credits by Stripe, what was bought, and what Stripe told. See host/src/payments.rs.

-- A workspace's customer at Stripe, and the plan that it has there as of the newest reading.
create table payment_customers (
    workspace_id uuid primary key references workspaces (id),
    customer_id text not null unique,            -- cus_…
    readings bigint not null default 0,         -- readings of the customer begun so far: the number of the newest
    applied bigint not null default 0,          -- the newest reading that was applied; an older one changes nothing
    checkouts bigint not null default 0,        -- Checkout sessions opened so far
    checkout_at bigint,                          -- when the last was opened, until it was looked what became of it
    subscription_id text,                        -- sub_…; null while there is none, as all that follows
    status text,                                 -- Stripe's word: trialing, active, past_due, …
    tier text,                                   -- the plan's name
    period text,                                 -- month | year
    period_end bigint,
    trial_end bigint,
    cancels bigint not null default 0 check (cancels in (0, 1)),  -- 1: it ends with the period
    created_at bigint not null
);

-- What a price of Stripe's stands for. Never changed: sales of it keep what they were sold with.
create table payment_prices (
    price_id text primary key,                   -- price_…
    tier text,                                   -- null for credits alone
    period text,                                 -- month | year; null for what is bought once
    credits bigint not null check (credits >= 0),  -- a month, or at once
    unit_amount bigint not null,                -- in the currency's smallest unit
    currency text not null,
    created_at bigint not null
);

-- The price that is offered under a name.
create table payment_offers (
    lookup_key text primary key,
    price_id text not null references payment_prices (price_id)
);

-- Events of Stripe's that were carried out, in the transaction that did.
create table payment_events (
    event_id text primary key,                   -- evt_…
    type text not null,
    workspace_id uuid references workspaces (id), -- null where it is about nobody here
    created_at bigint not null
);
create index payment_events_by_age on payment_events (created_at);

-- What was paid for, and what became of the payment.
create table payment_sales (
    sale_id text primary key,                    -- in_… or cs_…
    workspace_id uuid not null references workspaces (id),
    description text not null,                   -- for a person
    amount bigint not null,                     -- what was paid, in the currency's smallest unit
    refunded bigint not null,                   -- what was paid back of it
    currency text not null,
    paid_at bigint not null,
    next_part_at bigint                         -- when credits of it are due next; null when all are given
);
create index payment_sales_of_workspace on payment_sales (workspace_id, paid_at);
create index payment_sales_due on payment_sales (next_part_at) where next_part_at is not null;

-- Credits of a sale: all at once, or a month's each.
create table payment_parts (
    sale_id text not null references payment_sales (sale_id),
    part bigint not null,
    credits bigint not null,
    starts_at bigint not null,
    ends_at bigint,                             -- null for never
    is_granted bigint not null default 0 check (is_granted in (0, 1)),
    taken_back bigint not null default 0,       -- credits, for what was refunded
    primary key (sale_id, part)
);

-- Of `clawed`, what had ended unused by then: it was taken from nobody, and is not owed.
alter table credit_grants add column excused bigint not null default 0 check (excused >= 0);
