-- The service desk: households, technicians, parts, tickets, visits, quotes, notices, due things.
-- Every time is fleet time and given by the caller: no column takes the server's clock.
create extension if not exists btree_gist;

create table household (
    id              uuid primary key,
    org             text not null,
    name            text not null,
    lang            text not null default 'en' check (lang in ('en', 'zh')),
    tz              text not null,
    address         text not null default '',
    area            text not null default '',
    quiet_from      time not null default '21:00',
    quiet_to        time not null default '08:00',
    consent_alerts  boolean not null default true,
    consent_service boolean not null default true,
    simulated       boolean not null default false,
    registered      timestamptz not null
);
comment on column household.consent_service is 'without it no new ticket opens from telemetry';

-- Contacts are roles: a bounced address hands over to the next one of the household.
create table contact (
    id          uuid primary key,
    household   uuid not null references household (id),
    role        text not null default 'owner',
    rank        smallint not null default 0,
    name        text not null default '',
    email       text,
    phone       text,
    bounced     timestamptz,
    unique (household, role, rank)
);

create table technician (
    id          uuid primary key,
    org         text not null,
    name        text not null,
    skills      text[] not null,
    tz          text not null,
    -- One pair of minutes after midnight for each weekday, Monday first; null on days off.
    hours       jsonb not null,
    area        text not null default '',
    phone       text not null default '',
    active      boolean not null default true,
    unique (org, name)
);

create table technician_absence (
    technician  uuid not null references technician (id),
    away        tstzrange not null,
    reason      text not null default '',
    primary key (technician, away)
);

create table part_stock (
    org         text not null,
    sku         text not null,
    on_hand     integer not null default 0 check (on_hand >= 0),
    reserved    integer not null default 0 check (reserved >= 0 and reserved <= on_hand),
    arrives     timestamptz,
    primary key (org, sku)
);
comment on column part_stock.arrives is 'when the next delivery is due, if one is ordered';

create sequence ticket_ref_no start 1001;

create table ticket (
    id          uuid primary key,
    ref         text not null unique default 'WK-' || nextval('ticket_ref_no'),
    org         text not null,
    device      integer not null references device (no),
    household   uuid references household (id),
    family      text not null,
    fault       text,
    finding     uuid references finding (id),
    severity    smallint not null check (severity between 1 and 4),
    safety      boolean not null default false,
    priority    smallint not null,
    state       text not null check (state in (
        'detected', 'open', 'planned', 'in_repair', 'done', 'verified', 'closed', 'awaiting_quote', 'awaiting_parts',
        'hold', 'self_fixed', 'false_alarm', 'cancelled', 'reopened')),
    reason      text,
    responsible text not null,
    next_action text not null,
    next_due    timestamptz,
    blocking    text,
    episode     integer not null default 0,
    callout_free boolean not null default false,
    expected_cost double precision,
    opened      timestamptz not null,
    respond_due timestamptz not null,
    planned     timestamptz,
    done        timestamptz,
    verified    timestamptz,
    closed      timestamptz,
    version     integer not null default 0
);
comment on column ticket.episode is 'times reopened; each has its own notices';
comment on column ticket.blocking is 'the constraint that forbids a visit, named to dispatch';
-- At most one open ticket a device and family; the same finding never opens a second one.
create unique index ticket_one_open on ticket (device, family)
    where state not in ('closed', 'self_fixed', 'false_alarm', 'cancelled');
create unique index ticket_one_finding on ticket (finding);
create index ticket_board on ticket (org, state, next_due);
create index ticket_device on ticket (device, family, opened);
create index ticket_household on ticket (household, opened);

create table ticket_event (
    id          bigint generated always as identity primary key,
    ticket      uuid not null references ticket (id),
    at          timestamptz not null,
    kind        text not null,
    actor       text not null,
    body        jsonb not null default '{}'
);
create index ticket_event_ticket on ticket_event (ticket, id);
comment on table ticket_event is 'the timeline; actor is system, owner, dispatch, or technician:<id>';

create table visit (
    id          uuid primary key,
    ticket      uuid not null references ticket (id),
    technician  uuid not null references technician (id),
    skill       text not null,
    parts       text[] not null default '{}',
    span        tstzrange not null check (not isempty(span) and lower(span) is not null and upper(span) is not null),
    state       text not null check (state in (
        'proposed', 'confirmed', 'dispatched', 'travelling', 'on_site', 'done', 'declined', 'moved', 'missed', 'cancelled')),
    reason      text,
    hold_until  timestamptz not null,
    calendar    uuid not null,
    sequence    integer not null default 0,
    proposed    timestamptz not null,
    confirmed   timestamptz,
    arrived     timestamptz,
    finished    timestamptz,
    version     integer not null default 0,
    constraint visit_no_double_booking exclude using gist (technician with =, span with &&)
        where (state in ('proposed', 'confirmed', 'dispatched', 'travelling', 'on_site', 'done'))
);
-- One live visit a ticket.
create unique index visit_one_live on visit (ticket)
    where state in ('proposed', 'confirmed', 'dispatched', 'travelling', 'on_site');
create index visit_ticket on visit (ticket, proposed);
create index visit_board on visit (state, lower(span));
comment on column visit.calendar is 'UID of the calendar entry; a moved visit keeps it and counts sequence up';

create table part_reservation (
    visit       uuid not null references visit (id),
    org         text not null,
    sku         text not null,
    state       text not null check (state in ('reserved', 'used', 'released')),
    primary key (visit, sku),
    foreign key (org, sku) references part_stock (org, sku)
);

create table outcome (
    visit       uuid primary key references visit (id),
    code        text not null check (code in ('repaired', 'no_fault_found', 'part_missing', 'not_repaired')),
    cause       text,
    parts       text[] not null default '{}',
    note        text not null default '',
    at          timestamptz not null,
    actor       text not null
);

create table quote (
    id          uuid primary key,
    ticket      uuid not null references ticket (id),
    state       text not null check (state in ('draft', 'sent', 'delivered', 'seen', 'approved', 'declined', 'expired')),
    currency    text not null,
    lines       jsonb not null,
    total       numeric(12, 2) not null check (total >= 0),
    valid_until timestamptz not null,
    reason      text,
    made        timestamptz not null,
    decided     timestamptz,
    version     integer not null default 0
);
create index quote_ticket on quote (ticket, made);

create table notice (
    id          uuid primary key,
    ticket      uuid not null references ticket (id),
    household   uuid not null references household (id),
    stage       text not null,
    occasion    integer not null default 0,
    lang        text not null check (lang in ('en', 'zh')),
    channel     text not null check (channel in ('mail', 'mailbox')),
    address     text not null default '',
    subject     text not null,
    body        text not null,
    link        text not null default '',
    message_id  text not null unique,
    safety      boolean not null default false,
    state       text not null check (state in ('queued', 'sent', 'delivered', 'bounced', 'opened')),
    queued      timestamptz not null,
    not_before  timestamptz not null,
    sent        timestamptz,
    delivered   timestamptz,
    bounced     timestamptz,
    opened      timestamptz,
    unique (ticket, stage, occasion, household)
);
create index notice_household on notice (household, queued desc);
comment on column notice.occasion is 'counts episodes of the ticket, or sequences of the visit, for stages of a visit';

create table due (
    id          bigint generated always as identity primary key,
    kind        text not null,
    ref         uuid not null,
    due         timestamptz not null,
    handed_at   timestamptz,
    done_at     timestamptz
);
comment on table due is 'what must happen at a fleet time; a poller hands it to the job queue without a schedule';
create unique index due_one_waiting on due (kind, ref) where done_at is null;
create index due_next on due (due) where handed_at is null and done_at is null;
