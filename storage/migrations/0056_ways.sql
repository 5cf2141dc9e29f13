-- Other ways of repair than a visit of our own: workshops with pick-up at the door, service points, partners.
create table repair_way (
    id          uuid primary key,
    org         text not null,
    kind        text not null check (kind in ('mail_in', 'service_point', 'partner')),
    name        text not null,
    kinds       text[] not null default '{}',
    areas       text[] not null default '{}',
    skills      text[] not null default '{}',
    address     text not null default '',
    phone       text not null default '',
    hours       text not null default '',
    lead_days   integer not null default 1 check (lead_days >= 0),
    work_days   integer not null default 5 check (work_days >= 0),
    active      boolean not null default true
);
create index repair_way_org on repair_way (org, name);
comment on table repair_way is 'empty kinds, areas or skills mean all of them';

create table way_case (
    id          uuid primary key,
    ticket      uuid not null references ticket (id),
    way         uuid not null references repair_way (id),
    state       text not null check (state in (
        'booked', 'picked_up', 'received', 'on_bench', 'mended', 'returned', 'cancelled')),
    begins      timestamptz not null,
    back        timestamptz not null,
    made        timestamptz not null,
    cause       text,
    mended      boolean not null default false,
    note        text not null default '',
    returned    timestamptz,
    version     integer not null default 0
);
create unique index way_case_one_live on way_case (ticket)
    where state in ('booked', 'picked_up', 'received', 'on_bench', 'mended');
create index way_case_ticket on way_case (ticket, made);
