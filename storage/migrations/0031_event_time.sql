-- A hypertable's unique keys contain its time column.
alter table device_event drop constraint device_event_pkey;
alter table device_event add constraint device_event_once unique (device, epoch, seq, sub, t);
