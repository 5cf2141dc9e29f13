-- The engineers' bench: what is observed again on demand, and what people of ours ask of the clock of a simulated fleet.
create table lab_run (
    id          uuid primary key,
    what        text not null check (what in ('trace', 'decision')),
    device      integer not null references device (no),
    subject     text not null default '',
    asked       timestamptz not null,
    asked_by    text not null,
    state       text not null default 'waiting' check (state in ('waiting', 'running', 'done', 'failed')),
    share       real not null default 0 check (share between 0 and 1),
    attempts    smallint not null default 0,
    beat        timestamptz,
    ended       timestamptz,
    error       text,
    result      jsonb
);
create index lab_run_thing on lab_run (device, what, subject, asked);
create index lab_run_open on lab_run (asked) where state in ('waiting', 'running');
comment on table lab_run is 'asked and ended are fleet time, beat is wall time: a running one that is silent is taken over';
comment on column lab_run.subject is 'of a decision: reference of the ticket, or id of the finding';

create table clock_wish (
    one         boolean primary key default true check (one),
    rev         bigint not null,
    ceiling     double precision not null check (ceiling >= 0),
    until       timestamptz,
    asked       timestamptz not null,
    asked_by    text not null
);
comment on table clock_wish is 'the greatest speed that a person allows the fleet clock, and the fleet time at which it stands again';

create table clock_keeper (
    one         boolean primary key default true check (one),
    seen        timestamptz not null,
    highest     double precision not null
);
comment on table clock_keeper is 'sign of life (wall time) of the process that paces an accelerated fleet clock, and the speed it was started with';
