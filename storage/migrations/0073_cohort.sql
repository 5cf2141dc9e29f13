-- What devices tell of themselves once a day, for comparison with their peers; the day's job drops what is old.
create table cohort_summary (
    device      integer not null references device (no),
    day         integer not null,
    features    jsonb not null,
    firmware    text,
    primary key (device, day)
);
comment on table cohort_summary is 'day: of event time, whole days since 1970; features: name to [cycles, distance from the catalogue, distance from its own reference, scatter]';
create index cohort_summary_day on cohort_summary (day);

-- What a device was told of its peers last: it is told again only when that has moved.
create table cohort_told (
    device      integer primary key references device (no),
    at          timestamptz not null,
    body        jsonb not null
);
