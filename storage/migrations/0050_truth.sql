-- The truth loop: what outcomes said of findings, what was only suggested, and detectors that run in the shadow.
-- Every time is fleet time and given by the caller.
create table verdict (
    id          uuid primary key,
    org         text not null,
    detector    text not null,
    version     text not null,
    kind        text not null,
    model       text not null default '',
    family      text not null,
    device      integer not null references device (no),
    ticket      uuid not null unique references ticket (id),
    finding     uuid references finding (id),
    told        text,
    confirmed   text,
    truth       text not null check (truth in ('true', 'false', 'other_cause', 'missed')),
    hit         boolean not null,
    at          timestamptz not null
);
comment on table verdict is 'one a ticket, the last outcome counts; hit: a fault of the family was there';
create index verdict_key on verdict (org, detector, kind, model, family, at desc);

create table suggestion (
    finding     uuid primary key references finding (id),
    device      integer not null references device (no),
    family      text not null,
    at          timestamptz not null
);
comment on table suggestion is 'findings that opened no ticket because their detector had fallen below the bar';
create index suggestion_device on suggestion (device, family, at);

create table shadow (
    name        text primary key,
    version     text not null,
    config      text not null,
    since       timestamptz,
    began       timestamptz not null
);
comment on table shadow is 'detectors that open no tickets; version is their hash of code, catalogue and configuration';

create table shadow_progress (
    shadow      text not null references shadow (name) on delete cascade,
    device      integer not null references device (no),
    epoch       bigint not null,
    seq         bigint not null,
    version     text not null,
    state       bytea not null,
    first_t     timestamptz,
    last_t      timestamptz,
    primary key (shadow, device)
);
comment on table shadow_progress is 'how far a device was observed, with the state there; first_t and last_t bound the exposure';

create table shadow_finding (
    shadow      text not null references shadow (name) on delete cascade,
    finding     uuid not null,
    revision    integer not null,
    device      integer not null references device (no),
    family      text not null,
    state       text not null,
    opened      timestamptz not null,
    onset       timestamptz not null,
    observed    timestamptz not null,
    score       double precision not null,
    history     boolean not null,
    version     text not null,
    body        jsonb not null,
    primary key (shadow, finding, revision)
);
create index shadow_finding_device on shadow_finding (shadow, device, family, opened);
