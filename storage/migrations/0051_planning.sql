-- Planning of visits: places, breaks, training records, vans, holds, and plans that are accepted line by line.
-- Every time is fleet time and given by the caller.
alter table household
    add column latitude double precision check (latitude between -90 and 90),
    add column longitude double precision check (longitude between -180 and 180);

create table area (
    org         text not null,
    name        text not null,
    latitude    double precision not null check (latitude between -90 and 90),
    longitude   double precision not null check (longitude between -180 and 180),
    primary key (org, name)
);
comment on table area is 'its centre stands for households of the area without coordinates';

alter table technician
    -- One triple for each weekday, Monday first: earliest and latest minute of its beginning, minutes; null without.
    add column breaks jsonb not null default '[]',
    add column home_latitude double precision check (home_latitude between -90 and 90),
    add column home_longitude double precision check (home_longitude between -180 and 180),
    add column van text not null default '';
comment on column technician.home_latitude is 'where a day begins and ends';

create table technician_skill (
    technician  uuid not null references technician (id),
    skill       text not null,
    valid_until date,
    trained     date,
    course      text not null default '',
    primary key (technician, skill)
);
comment on table technician_skill is 'the training record; a skill of technician.skills without one does not expire';

alter table visit add column minutes smallint not null default 60 check (minutes > 0);
comment on column visit.minutes is 'of work, as planned';

create table van_stock (
    technician  uuid not null references technician (id),
    sku         text not null,
    on_hand     integer not null default 0 check (on_hand >= 0),
    reserved    integer not null default 0 check (reserved >= 0 and reserved <= on_hand),
    primary key (technician, sku)
);
alter table part_reservation add column van uuid references technician (id);
comment on column part_reservation.van is 'whose van the piece lies in; null is the depot';

create table slot_hold (
    id          uuid primary key,
    ticket      uuid not null unique references ticket (id),
    technician  uuid not null references technician (id),
    span        tstzrange not null check (not isempty(span) and lower(span) is not null and upper(span) is not null),
    made        timestamptz not null,
    until       timestamptz not null check (until > made),
    actor       text not null,
    constraint slot_hold_no_double exclude using gist (technician with =, span with &&)
);
comment on table slot_hold is 'windows that somebody is about to take; what is over is removed by the next one';

create table visit_plan (
    id          uuid primary key,
    org         text not null,
    made        timestamptz not null,
    actor       text not null,
    first       timestamptz not null,
    until       timestamptz not null check (until > first),
    served      integer not null,
    of          integer not null,
    travel_before integer not null,
    travel_after integer not null
);
comment on column visit_plan.travel_before is 'seconds on the road without the plan';
create index visit_plan_org on visit_plan (org, made);

create table visit_plan_line (
    plan        uuid not null references visit_plan (id),
    no          integer not null,
    ticket      uuid not null references ticket (id),
    version     integer not null,
    visit       uuid references visit (id),
    before_technician uuid references technician (id),
    before_span tstzrange,
    after_technician uuid references technician (id),
    after_span  tstzrange,
    blocking    text,
    state       text not null check (state in ('open', 'accepted', 'refused', 'outdated')),
    decided     timestamptz,
    actor       text,
    primary key (plan, no)
);
comment on column visit_plan_line.version is 'of the ticket when the plan was made: a changed ticket is planned anew';
