-- Publications that go out at a time of their own.

-- When a person wants it out; null for at once. Its run begins then, and not before.
alter table publications add column publish_at integer;
