-- Which grant a clawback was of, so that no other is restored by it; null for what is none, and for clawbacks older than this.
alter table credit_transactions add column grant_id blob references credit_grants (id);
create index credit_transactions_of_grants on credit_transactions (grant_id) where grant_id is not null;
