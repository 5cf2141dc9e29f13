-- The way of a reading: devices, progress, dead letters, findings, control entries, positions, clock.
create table device (
    no          integer generated always as identity primary key,
    org         text not null check (org ~ '^[A-Za-z0-9_-]{1,64}$'),
    device      text not null check (device ~ '^[A-Za-z0-9_-]{1,64}$'),
    kind        text not null,
    model       text,
    serial      text,
    room        text,
    lang        text not null default 'en' check (lang in ('en', 'zh')),
    household   uuid,
    installed   timestamptz,
    warranty_until date,
    registered  timestamptz not null,
    unique (org, device)
);
comment on table device is 'The registry. household points to the desk''s table of households.';

create table device_progress (
    device      integer not null references device (no),
    epoch       bigint not null,
    upto        bigint not null default 0,
    beyond      int8multirange not null default '{}',
    primary key (device, epoch)
);

-- What detectors have observed, in spool order; one row a device. state holds a snapshot.
create table device_observed (
    device      integer primary key references device (no),
    epoch       bigint not null,
    seq         bigint not null,
    last_t      timestamptz,
    last_arrival timestamptz,
    health      text not null default 'unknown' check (health in ('ok', 'faulty', 'unknown')),
    since       timestamptz
);

create table detector_snapshot (
    device      integer primary key references device (no),
    epoch       bigint not null,
    seq         bigint not null,
    version     text not null,
    state       bytea not null
);
comment on column detector_snapshot.version is 'hash of code, catalogue and configuration; another version is rebuilt, never loaded';

create table detector_error (
    id          bigint generated always as identity primary key,
    device      integer not null references device (no),
    epoch       bigint not null,
    seq         bigint not null,
    at          timestamptz not null,
    error       text not null,
    unique (device, epoch, seq)
);

create table dead_letter (
    id          bigint generated always as identity primary key,
    partition   smallint not null,
    stream_seq  bigint not null,
    position_in_block integer not null,
    incarnation text not null,
    org         text,
    device      text,
    topic       text,
    reason      text not null,
    detail      text not null,
    raw         bytea not null,
    epoch       bigint,
    seq         bigint,
    base        bigint,
    arrival     timestamptz not null,
    replayed    timestamptz,
    unique (incarnation, partition, stream_seq, position_in_block)
);
create index dead_letter_device on dead_letter (org, device, arrival);

-- Receipts of what was dead-lettered for devices that the registry does not know.
create table stranger_progress (
    org         text not null,
    device      text not null,
    epoch       bigint not null,
    upto        bigint not null default 0,
    beyond      int8multirange not null default '{}',
    primary key (org, device, epoch)
);

create table declared_lost (
    device      integer not null references device (no),
    epoch       bigint not null,
    from_seq    bigint not null,
    to_seq      bigint not null,
    at          timestamptz not null,
    why         text not null check (why in ('base', 'epoch', 'given_up')),
    primary key (device, epoch, from_seq)
);

create table device_event (
    device      integer not null references device (no),
    t           timestamptz not null,
    epoch       bigint not null,
    seq         bigint not null,
    sub         smallint not null,
    code        text not null,
    arrival     timestamptz not null,
    late        boolean not null default false,
    primary key (device, epoch, seq, sub)
);
create index device_event_time on device_event (device, t);

create table partition_position (
    partition   smallint primary key,
    incarnation text not null,
    seq         bigint not null,
    owner_pid   integer,
    moved       timestamptz
);
comment on column partition_position.owner_pid is 'backend of the owner, for the taker to end';

create table fleet_clock (
    one         boolean primary key default true check (one),
    rev         bigint not null,
    wall        bigint not null,
    fleet       bigint not null,
    speed       double precision not null check (speed >= 0)
);
comment on table fleet_clock is 'wall and fleet in microseconds since 1970; see telemetry.clock.FleetClock';

create table finding (
    id          uuid primary key,
    device      integer not null references device (no),
    family      text not null,
    opened      timestamptz not null,
    arrived     timestamptz not null,
    history     boolean not null default false
);
create index finding_device on finding (device, opened);

create table finding_revision (
    finding     uuid not null references finding (id),
    revision    integer not null,
    state       text not null check (state in ('open', 'ended')),
    severity    smallint not null check (severity between 1 and 4),
    onset       timestamptz not null,
    onset_low   timestamptz not null,
    onset_high  timestamptz not null,
    observed    timestamptz not null,
    score       double precision not null check (score between 0 and 1),
    life_low    double precision,
    life_high   double precision,
    detector    text not null,
    version     text not null,
    body        jsonb not null,
    arrived     timestamptz not null,
    primary key (finding, revision)
);
comment on column finding_revision.body is 'the whole telemetry.finding.Finding as JSON';

create view finding_current as
select f.id, f.device, f.family, f.opened, f.history, r.revision, r.state, r.severity, r.onset, r.onset_low, r.onset_high,
       r.observed, r.score, r.life_low, r.life_high, r.detector, r.version, r.body, r.arrived
from finding f
join lateral (
    select * from finding_revision r where r.finding = f.id order by r.revision desc limit 1
) r on true;

create table control_entry (
    id          uuid primary key,
    device      integer not null references device (no),
    kind        text not null,
    at          timestamptz not null,
    body        jsonb not null default '{}',
    published   timestamptz,
    effect_epoch bigint,
    effect_seq  bigint,
    effect_order bigint
);
comment on table control_entry is 'effect_*: the (epoch, seq) after which it took effect, and its place among several there; set by the partition''s transaction';
create index control_entry_waiting on control_entry (at) where effect_seq is null;
create index control_entry_device on control_entry (device, effect_epoch, effect_seq);
