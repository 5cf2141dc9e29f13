-- What appliances have in common beside their model: the lot they were made in, and the firmware they say they run.
alter table device add column lot text check (length(lot) between 1 and 64);
comment on column device.lot is 'production lot, as on the plate or in the maker''s list';

create table device_firmware (
    device      integer not null references device (no),
    -- The first message that is known to have come from this version: history is in the device's own order.
    epoch       bigint not null,
    seq         bigint not null,
    since       timestamptz not null,
    version     text not null check (length(version) between 1 and 64),
    primary key (device, epoch, seq)
);
comment on table device_firmware is 'each version a device has said of itself, from when on; neighbours differ';
create index device_firmware_since on device_firmware (device, since);

-- Nothing is known of the time before a device's first word: the first version counts for it.
create function firmware_at(of_device integer, moment timestamptz) returns text
language sql stable as $$
    select coalesce(
        (select version from device_firmware where device = of_device and since <= moment
         order by since desc, epoch desc, seq desc limit 1),
        (select version from device_firmware where device = of_device order by epoch, seq limit 1))
$$;

create table fleet_shared (
    fleet           uuid primary key references fleet_finding (id),
    what            text not null check (what in ('firmware', 'lot')),
    name            text not null,
    members         integer not null,
    members_having  integer not null check (members_having between 1 and members),
    others          integer not null check (others > 0),
    others_having   integer not null check (others_having between 0 and others),
    chance          double precision not null,
    at              timestamptz not null
);
comment on table fleet_shared is 'what the members of a fleet finding have in common and the rest of their kind has not';
