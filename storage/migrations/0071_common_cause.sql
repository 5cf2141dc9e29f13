-- What appliances of one kind begin to show together is one thing, not many: a heat wave, a holiday, a firmware.
create table fleet_finding (
    id          uuid primary key,
    org         text not null,
    kind        text not null,
    family      text not null,
    opened      timestamptz not null,
    devices     integer not null check (devices > 0),
    expected    double precision not null check (expected > 0)
);
comment on table fleet_finding is 'devices: of the kind, when it opened; expected: findings among them within the time, were they as ever';
create index fleet_finding_kind on fleet_finding (org, kind, family, opened desc);

create table fleet_member (
    finding     uuid primary key,
    fleet       uuid not null references fleet_finding (id),
    device      integer not null references device (no),
    joined      timestamptz not null
);
create index fleet_member_fleet on fleet_member (fleet, joined);

-- A finding whose ticket waits: until its cause is surer, or until what many have in common has passed.
create table finding_wait (
    finding     uuid primary key,
    device      integer not null references device (no),
    why         text not null check (why in ('unsure', 'common')),
    since       timestamptz not null,
    until       timestamptz not null,
    ended       timestamptz
);
create index finding_recent on finding (family, opened);
