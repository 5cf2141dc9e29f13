-- What owners do with their own household: an appliance is taken out of it; links of a household are found and ended.
alter table device
    add column removed timestamptz,
    add column removed_why text check (removed_why in ('sold', 'broken', 'moved', 'unwanted'));
comment on column device.removed is 'when its household took it out, in fleet time; household and room are empty then, readings stay';
create index access_token_household on access_token (household) where household is not null;
create index silence_device on silence (device) where device is not null;
