-- How many control entries a shadow's state holds: several may take effect behind one message.
alter table shadow_progress add column entries integer not null default 0;
