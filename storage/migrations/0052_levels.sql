-- Service levels with their clocks, calls, the on-call roster, ways to households, and what is kept back.
-- Every time is fleet time and given by the caller.
create table household_tier (
    household   uuid primary key references household (id),
    tier        text not null,
    named_contact text not null default ''
);
comment on table household_tier is 'orders work inside one severity only; named_contact is a person of ours';

create table level_clock (
    id          uuid primary key,
    ticket      uuid not null references ticket (id),
    policy      text not null,
    occasion    integer not null,
    calendar    text not null,
    zone        text not null,
    started     timestamptz not null,
    allowed     interval not null,
    consumed    interval not null,
    since       timestamptz,
    due         timestamptz,
    reasons     text[] not null default '{}',
    expected    timestamptz,
    warned      timestamptz,
    breached    timestamptz,
    met         timestamptz,
    ended       timestamptz,
    unique (ticket, policy, occasion)
);
comment on column level_clock.since is 'from when working time runs; null while paused';
comment on column level_clock.expected is 'when the plan would keep the promise';
create unique index level_clock_one_open on level_clock (ticket, policy) where met is null and ended is null;
create index level_clock_started on level_clock (started);

create table level_pause (
    clock       uuid not null references level_clock (id),
    reason      text not null,
    begun       timestamptz not null,
    until       timestamptz,
    primary key (clock, reason, begun)
);
create unique index level_pause_one_open on level_pause (clock, reason) where until is null;

create table compensation (
    id          uuid primary key,
    ticket      uuid not null references ticket (id),
    clock       uuid not null unique references level_clock (id),
    policy      text not null,
    amount      numeric(12, 2) not null check (amount > 0),
    currency    text not null,
    reason      text not null,
    issued      timestamptz not null
);
create index compensation_ticket on compensation (ticket);

create table call_task (
    id          uuid primary key,
    ticket      uuid not null references ticket (id),
    reason      text not null,
    severity    smallint not null,
    opened      timestamptz not null,
    due         timestamptz not null,
    assignee    text not null,
    state       text not null check (state in ('open', 'done')),
    escalated   timestamptz,
    contacted   timestamptz,
    closed      timestamptz,
    note        text not null default ''
);
comment on column call_task.contacted is 'when a person of ours first reached or answered the owner; automatic replies do not count';
create index call_task_ticket on call_task (ticket);
create index call_task_opened on call_task (opened);
create index call_task_open on call_task (due) where state = 'open';

create table oncall (
    id          uuid primary key,
    org         text not null,
    step        smallint not null check (step > 0),
    name        text not null,
    address     text not null,
    span        tstzrange not null check (not isempty(span)),
    constraint oncall_one_place exclude using gist (org with =, step with =, name with =, span with &&)
);
comment on column oncall.address is 'an e-mail address or an Apprise URL; a secret';

create table page (
    id          uuid primary key,
    ticket      uuid not null references ticket (id),
    episode     integer not null,
    step        smallint not null,
    name        text not null,
    address     text not null,
    text        text not null,
    at          timestamptz not null,
    sent        timestamptz,
    acknowledged timestamptz,
    unique (ticket, episode, step)
);

create table mail_in (
    message_id  text primary key,
    at          timestamptz not null,
    kind        text not null,
    sender      text not null,
    subject     text not null,
    words       text not null,
    ticket      uuid references ticket (id)
);
create index mail_in_unmatched on mail_in (at) where ticket is null;

create table contact_channel (
    id          uuid primary key,
    org         text not null,
    household   uuid references household (id),
    url         text not null,
    rank        smallint not null default 0,
    stale       timestamptz
);
comment on column contact_channel.url is 'an Apprise URL, a secret: never on a timeline; without a household it is the organisation''s';
create index contact_channel_household on contact_channel (household);
create index contact_channel_org on contact_channel (org) where household is null;

create table stale_phone (
    household   uuid not null references household (id),
    phone       text not null,
    at          timestamptz not null,
    primary key (household, phone)
);

create table notice_attempt (
    notice      uuid not null references notice (id),
    rung        integer not null,
    channel     text not null,
    address     text not null,
    at          timestamptz not null,
    why         text not null,
    primary key (notice, rung)
);

create table channel_outage (
    id          uuid primary key,
    channel     text not null,
    since       timestamptz not null,
    failures    integer not null,
    why         text not null,
    warned      timestamptz,
    ended       timestamptz
);
create unique index channel_outage_one on channel_outage (channel) where ended is null;

create table silence (
    id          uuid primary key,
    org         text not null,
    kind        text not null check (kind in ('maintenance', 'snooze', 'mute')),
    start       timestamptz not null,
    until       timestamptz,
    made_by     text not null,
    reason      text not null,
    household   uuid references household (id),
    device      integer references device (no),
    ticket      uuid references ticket (id),
    check (kind = 'mute' or until is not null)
);
create index silence_org on silence (org, start);

create table suppressed (
    id          bigint generated always as identity primary key,
    silence     uuid not null references silence (id),
    ticket      uuid not null references ticket (id),
    stage       text not null,
    at          timestamptz not null,
    until       timestamptz
);
create index suppressed_silence on suppressed (silence);

alter table notice drop constraint notice_channel_check;
alter table notice add constraint notice_channel_check check (channel in ('mail', 'mailbox', 'chat'));
create index notice_waiting on notice (channel) where state = 'queued';
