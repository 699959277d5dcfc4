-- What a restored installation does not know, and so must not do. See host/src/fence.rs.

-- One row once a backup was restored: while it stands, nothing leaves this installation.
create table fence (
    id integer primary key check (id = 1),
    backup text not null,                        -- the name of the backup that was restored last
    backup_at integer not null,                  -- from when on what was done may be unknown
    restored_at integer not null,                -- all that is older came with the backup
    resumed_at integer                           -- when an operator lifted the fence; null while it stands
) strict;

-- From when on it may have gone out without our knowing, since it came with a backup: its commits are looked for at the
-- vendor before they are sent. Null for all others.
alter table publications add column doubt_since integer;
