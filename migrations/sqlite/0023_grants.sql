-- Where credits come from, until when they last, and what is owed. See host/src/ledger/.

alter table credit_accounts add column owed integer not null default 0 check (owed >= 0); -- netted from what is granted later
alter table credit_accounts add column caps integer not null default 0; -- rows of credit_caps: holds look at them where there are any

-- Each grant with what is left of it. All that is left sums to what is posted.
create table credit_grants (
    id blob primary key,
    workspace_id blob not null references workspaces (id),
    origin text not null,                        -- promotional | subscription | purchased
    key text not null,                           -- its idempotency key
    credits integer not null check (credits > 0),     -- granted, with what of it paid off debts
    remaining integer not null check (remaining >= 0), -- neither charged, nor expired, nor taken back
    held integer not null check (held >= 0),          -- of these, reserved by open holds
    clawed integer not null default 0 check (clawed >= 0), -- of `credits`, taken back or made to be owed
    expires_at integer,                               -- from when on no hold takes of it; null for never
    is_open integer not null,                         -- 1 while something remains
    created_at integer not null,
    unique (workspace_id, key),
    check (held <= remaining),
    check (clawed <= credits)
) strict;
create index credit_grants_open on credit_grants (workspace_id) where is_open = 1;
create index credit_grants_ending on credit_grants (expires_at) where is_open = 1 and expires_at is not null;

-- What was there before grants were told apart, under the workspace's own id.
insert into credit_grants (id, workspace_id, origin, key, credits, remaining, held, is_open, created_at)
    select workspace_id, workspace_id, 'promotional', '(before)', posted, posted, held, 1, 0
    from credit_accounts where posted > 0;

alter table credit_holds add column grants text not null default '[]'; -- JSON: [[grant, credits], …], fixed when it was taken
alter table credit_holds add column charged integer;       -- of `amount`; null while open
alter table credit_holds add column refunded integer not null default 0; -- of `charged`, given back later
alter table credit_holds add column member_id blob references users (id); -- who asked; null where nobody did
alter table credit_holds add column items text;           -- JSON: how the price came about; null where nobody said

update credit_holds set grants = '[["' || lower(substr(hex(workspace_id), 1, 8) || '-' || substr(hex(workspace_id), 9, 4) || '-' || substr(hex(workspace_id), 13, 4)
        || '-' || substr(hex(workspace_id), 17, 4) || '-' || substr(hex(workspace_id), 21, 12)) || '",' || amount || ']]'
    where state = 'open' and amount > 0;
update credit_holds set charged = case state when 'settled'
        then (select t.amount from credit_transactions t where t.hold_id = credit_holds.id and t.kind = 'settle') else 0 end
    where state <> 'open';

create index credit_holds_by_time on credit_holds (workspace_id, created_at);
create index credit_holds_unresolved on credit_holds (created_at) where state = 'open';

alter table credit_transactions add column owed_delta integer not null default 0; -- change of owed
alter table credit_transactions add column owed_after integer not null default 0;

-- A transaction is never changed, whoever tries.
create trigger credit_transactions_stay before update on credit_transactions begin
    select raise(abort, 'credit_transactions are never changed');
end;
create trigger credit_transactions_stay_there before delete on credit_transactions begin
    select raise(abort, 'credit_transactions are never changed');
end;
