-- The dispatch board: visits that stay where they are, and moves by hand that can be taken back for some seconds.
-- `made` and `until` are wall time, for people's hands; `at` is fleet time.
alter table visit add column locked text;
comment on column visit.locked is 'who said that the visit stays with its technician and window; null when it may move';
create index visit_day on visit using gist (span);

create table board_move (
    id          uuid primary key,
    org         text not null,
    ticket      uuid not null references ticket (id),
    actor       text not null,
    at          timestamptz not null,
    until       timestamptz not null,
    visit       uuid not null references visit (id),
    old         uuid references visit (id),
    -- What an undo gives back: the former visit's state, and the ticket as it was.
    before      jsonb not null,
    version     integer not null,
    owner       text not null check (owner in ('ask', 'agreed', 'tell')),
    rules       text[] not null default '{}',
    reason      text not null default '',
    state       text not null check (state in ('open', 'undone', 'released', 'overtaken')),
    decided     timestamptz
);
comment on table board_move is 'a visit placed by hand: the owner is told when `until` has passed, unless it is undone';
comment on column board_move.version is 'of the ticket after the move: whatever changes it later makes an undo impossible';
create index board_move_ticket on board_move (ticket, at);
create index board_move_open on board_move (until) where state = 'open';
