-- One row a device, updated in every transaction that hears of it: with room on its page an update touches no index.
alter table device_progress set (fillfactor = 40);
alter table device_observed set (fillfactor = 40);
