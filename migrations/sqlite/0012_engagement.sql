-- Replies to comments: publications below a comment. See host/src/publications/replying.rs.

alter table publications add column reply_to text;         -- the vendor's id of the comment; null for a post
create index publications_replying on publications (connection_id, updated_at) where reply_to is not null;
