-- Prices by unit, connector and model, each from a time on; and what operators did to credits and prices.
-- See host/src/prices.rs and host/src/operating/records.rs.

-- Never changed: a price is changed by another row that is valid from later on.
create table price_versions (
    id uuid primary key,
    operation text not null,                     -- the metered operation
    unit text not null,                          -- run | kilotoken | image | second | post | gigabyte
    credits bigint not null check (credits >= 0),  -- for one of the unit
    connector text,                              -- null for every one
    model text,                                  -- null for every one
    workspace_id uuid references workspaces (id), -- null for every one
    vendor_key text not null,                    -- any | own: own for runs on the customer's own app at the vendor
    valid_from bigint not null,
    set_by text not null,                        -- user:<id>, command, or seed
    reason text not null,                        -- for a person
    created_at bigint not null
);
create index price_versions_by_operation on price_versions (operation);

insert into price_versions (id, operation, unit, credits, vendor_key, valid_from, set_by, reason, created_at)
    select gen_random_uuid(), operation, 'run', credits, 'any', updated_at, 'seed', 'before prices had versions', updated_at from prices;
drop table prices;

-- What operators did by hand, and why. Never changed.
create table operator_records (
    id uuid primary key,
    actor text not null,                         -- user:<id>, or command
    action text not null,                        -- credits.grant | credits.adjust | credits.refund | price.set
    workspace_id uuid references workspaces (id), -- whose credits or price; null for everybody's
    details text not null,                       -- JSON
    reason text not null,                        -- for a person
    at bigint not null
);
