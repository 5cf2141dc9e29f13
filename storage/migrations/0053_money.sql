-- Quotes by line, bills, warranty decisions and their evidence, parts on order, serial numbers of fitted parts.
-- Every time is fleet time and given by the caller.
alter table device add column sold date;
comment on column device.sold is 'day of the sale; with warranty_until it decides the warranty, and nothing else does';
create index device_serial on device (serial) where serial is not null;

alter table quote
    add column tax numeric(12, 2) not null default 0,
    add column rule text not null default '',
    add column parts text[] not null default '{}',
    add column back text,
    add column notice uuid references notice (id);
comment on column quote.rule is 'of the warranty table; it says what the maker pays';
comment on column quote.back is 'state of the ticket before it waited for the answer';
-- The owner has one price to answer.
create unique index quote_one_open on quote (ticket) where state in ('sent', 'delivered', 'seen');

create table bill (
    id          uuid primary key,
    ticket      uuid not null references ticket (id),
    visit       uuid not null unique references visit (id),
    quote       uuid references quote (id),
    currency    text not null,
    lines       jsonb not null,
    total       numeric(12, 2) not null check (total >= 0),
    tax         numeric(12, 2) not null,
    most        numeric(12, 2) not null,
    made        timestamptz not null,
    check (total <= most)
);
create index bill_ticket on bill (ticket, made);
comment on column bill.most is 'what was approved, or told before booking; no bill lies above it';

create table part_price (
    org         text not null,
    sku         text not null,
    price       numeric(12, 2) not null check (price >= 0),
    primary key (org, sku)
);

create table warranty_evidence (
    device      integer not null references device (no),
    code        text not null,
    at          timestamptz not null,
    actor       text not null,
    note        text not null,
    primary key (device, code)
);

create table warranty_decision (
    id          uuid primary key,
    ticket      uuid not null references ticket (id),
    device      integer not null references device (no),
    rule        text not null,
    cover       text not null,
    evidence    text[] not null,
    actor       text not null,
    at          timestamptz not null,
    step        text not null check (step in ('decided', 'appealed', 'upheld', 'overturned')),
    words       text not null default '',
    due         timestamptz,
    reviewer    text,
    settled     timestamptz,
    reason      text,
    -- A denial rests on evidence, and nobody judges an appeal against their own decision.
    check (cover <> 'denied' or cardinality(evidence) > 0),
    check (reviewer is distinct from actor)
);
create index warranty_decision_ticket on warranty_decision (ticket, at);

create table part_order (
    id          uuid primary key,
    org         text not null,
    sku         text not null,
    quantity    integer not null check (quantity > 0),
    ordered     timestamptz not null,
    arrives     timestamptz not null,
    actor       text not null,
    received    timestamptz
);
create index part_order_open on part_order (org, sku, arrives) where received is null;

alter table part_stock add column least integer check (least > 0);
comment on column part_stock.least is 'below so many free pieces it is ordered again';

create table fitted_part (
    visit       uuid not null references visit (id),
    sku         text not null,
    serial      text not null,
    replaced    text not null default '',
    primary key (visit, sku, serial)
);
create index fitted_part_serial on fitted_part (serial);
