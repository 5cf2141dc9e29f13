-- Readings of devices without a spool: they wait until what was sent before them must have come.
create table held_reading (
    device      integer not null references device (no),
    t           timestamptz not null,
    arrival     timestamptz not null,
    channels    text[] not null,
    -- Numbers as they are observed: real is what a reading is stored as.
    numbers     real[] not null check (cardinality(numbers) = cardinality(channels)),
    primary key (device, t)
);
comment on table held_reading is 'each leaves it for its kind''s table as soon as the hold has passed; nothing is lost with its worker';
