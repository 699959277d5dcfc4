-- How long connections last, and what drives are restricted to. See host/src/connecting/lasting.rs and host/src/drives.rs.

alter table connections add column ends_at integer;        -- when it ends since nobody can renew it; null where that is not known
alter table connections add column ends_words text;        -- why it ends, and what to do, for a person

alter table connections add column root_folder_name text;  -- what root_folder was called when it was set; null without one
alter table connections add column restricted_at integer;  -- since when root_folder is set; null without one
-- How often root_folder was set or lifted. Ids that were handed out for a drive hold for one of these counts alone.
alter table connections add column restrictions integer not null default 0;
