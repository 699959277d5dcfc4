-- The order in which a claim takes the jobs of a line, whole: with `id` outside of the index, a claim read and sorted all jobs
-- of each line that it took one from.
drop index jobs_ready;
create index jobs_ready on jobs (queue, line, due_at, id) where ready = 1 and lease is null;

-- What goes to the same account at about the same time (host/src/publications/likeness.rs). Without it, taking a post in read
-- all that its workspace published within two hours.
create index publications_near on publications (connection_id, (coalesce(publish_at, created_at)), id)
    where reply_to is null and state not in ('failed', 'cancelled');
