-- Whose turn it is: jobs stand in queues (one a connector), and there in lines (one an account and target), of which one job at
-- a time is worked on. See host/src/jobs/claiming.rs.

alter table jobs add column queue text not null default '(host)'; -- the connector's id; `(host)` for the host's own work
alter table jobs add column workspace_id blob;                   -- whose it is; null for the host's own work
alter table jobs add column line blob not null default x'';      -- what it stands behind; its own subject where it stands alone
alter table jobs add column ready integer not null default 0;    -- 1 once its time has come: a claim looks at those only

update jobs set line = subject;
update jobs set
    queue = (select connector from publications where publications.id = jobs.subject),
    workspace_id = (select workspace_id from publications where publications.id = jobs.subject)
    where kind in ('publish', 'reconcile');

drop index jobs_due;
create index jobs_ready on jobs (queue, line, due_at) where ready = 1 and lease is null;
create index jobs_to_come on jobs (due_at) where ready = 0 and lease is null;
create index jobs_lines_under_way on jobs (line) where lease is not null;
