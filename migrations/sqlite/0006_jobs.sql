-- Who waits for the next lease to lapse looks at the leased jobs only.

create index jobs_leased on jobs (leased_until) where lease is not null;
