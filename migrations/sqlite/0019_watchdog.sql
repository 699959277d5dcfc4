-- What the watchdog looks through: publications that have not ended, by state and age. See host/src/publications/watching.rs.
create index publications_open on publications (state, (coalesce(publish_at, created_at))) where finished_at is null;
