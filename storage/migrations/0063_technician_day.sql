-- A technician's day: what was ticked on the list of a visit, how late somebody comes, and where somebody travels.
-- Every time is fleet time and given by the caller.
create table visit_tick (
    visit       uuid not null references visit (id),
    step        text not null check (length(step) between 1 and 80),
    done        boolean not null,
    at          timestamptz not null,
    actor       text not null,
    primary key (visit, step)
);
comment on table visit_tick is 'the last word on a step of the checklist, or on a part that goes into the van';

create table visit_delay (
    visit       uuid primary key references visit (id),
    expected    timestamptz not null,
    at          timestamptz not null,
    actor       text not null,
    times       integer not null default 1 check (times > 0)
);
comment on table visit_delay is 'when a technician who runs late expects to be there; the last word counts';

create table technician_position (
    visit       uuid primary key references visit (id),
    at          timestamptz not null,
    lat         double precision not null check (lat between -90 and 90),
    lon         double precision not null check (lon between -180 and 180)
);
comment on table technician_position is 'only while somebody travels to the visit: the row goes with the journey, and there is no history';
