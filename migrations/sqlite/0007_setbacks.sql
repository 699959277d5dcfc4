-- Failures in passing that followed each other without headway: so many, and a publication fails for good.

alter table publications add column setbacks integer not null default 0;
