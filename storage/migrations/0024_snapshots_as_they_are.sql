-- A snapshot is mostly binary floats, which compression does not make smaller; written often, it only costs time.
alter table detector_snapshot alter column state set storage external;
