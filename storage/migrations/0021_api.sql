-- What the API keeps for its clients: answers to repeat, the feed of changes, the key that signs cursors.
create table api_secret (
    one         boolean primary key default true check (one),
    signing     bytea not null check (length(signing) = 32)
);
comment on table api_secret is 'signs cursors; all processes of the API share it';
-- Two version 4 UUIDs of the server hold 244 random bits.
insert into api_secret (signing) values (sha256((gen_random_uuid()::text || gen_random_uuid()::text)::bytea));

create table api_answer (
    principal   uuid not null,
    route       text not null,
    key         text not null check (length(key) between 1 and 255),
    request     bytea not null,
    made        timestamptz not null,
    status      smallint,
    headers     jsonb,
    body        bytea,
    primary key (principal, route, key)
);
comment on table api_answer is 'answers by Idempotency-Key, written in the transaction of their effect; made is wall time';
comment on column api_answer.request is 'SHA-256 of address, query and body';
create index api_answer_made on api_answer (made);

-- The feed. A row is written by the change's own transaction and gets its number later, when it is visible: see
-- storage/api_events.py for why no reader can pass a row over.
create table api_feed (
    one         boolean primary key default true check (one),
    newest      bigint not null default 0,
    forgotten   bigint not null default 0
);
comment on table api_feed is 'newest: the last number given; forgotten: the last number whose row was removed by age';
insert into api_feed default values;

create table api_event (
    id          bigint generated always as identity primary key,
    no          bigint unique,
    numbered    timestamptz,
    kind        text not null check (kind in ('ticket', 'visit', 'notice', 'finding', 'device')),
    subject     text not null,
    what        text not null check (what in ('created', 'changed')),
    state       text not null,
    was         text,
    org         text not null,
    device      integer not null,
    household   uuid,
    ticket      uuid,
    technician  uuid
);
comment on column api_event.numbered is 'wall time';
create index api_event_waiting on api_event (id) where no is null;

create function api_event_ticket() returns trigger language plpgsql as $$
begin
    insert into api_event (kind, subject, what, state, was, org, device, household, ticket)
    values ('ticket', new.id, case tg_op when 'INSERT' then 'created' else 'changed' end, new.state,
            case tg_op when 'INSERT' then null else old.state end, new.org, new.device, new.household, new.id);
    perform pg_notify('wellkept_api_event', '');
    return null;
end $$;
create trigger api_event_created after insert on ticket for each row execute function api_event_ticket();
create trigger api_event_changed after update on ticket for each row
    when (old.version is distinct from new.version or old.state is distinct from new.state)
    execute function api_event_ticket();

create function api_event_visit() returns trigger language plpgsql as $$
begin
    insert into api_event (kind, subject, what, state, was, org, device, household, ticket, technician)
    select 'visit', new.id, case tg_op when 'INSERT' then 'created' else 'changed' end, new.state,
           case tg_op when 'INSERT' then null else old.state end, t.org, t.device, t.household, t.id, new.technician
    from ticket t where t.id = new.ticket;
    perform pg_notify('wellkept_api_event', '');
    return null;
end $$;
create trigger api_event_created after insert on visit for each row execute function api_event_visit();
create trigger api_event_changed after update on visit for each row
    when (old.version is distinct from new.version or old.state is distinct from new.state)
    execute function api_event_visit();

create function api_event_notice() returns trigger language plpgsql as $$
begin
    insert into api_event (kind, subject, what, state, was, org, device, household, ticket)
    select 'notice', new.id, case tg_op when 'INSERT' then 'created' else 'changed' end, new.state,
           case tg_op when 'INSERT' then null else old.state end, t.org, t.device, new.household, t.id
    from ticket t where t.id = new.ticket;
    perform pg_notify('wellkept_api_event', '');
    return null;
end $$;
create trigger api_event_created after insert on notice for each row execute function api_event_notice();
create trigger api_event_changed after update on notice for each row
    when (old.state is distinct from new.state) execute function api_event_notice();

create function api_event_finding() returns trigger language plpgsql as $$
begin
    insert into api_event (kind, subject, what, state, was, org, device, household)
    select 'finding', new.finding, case when p.state is null then 'created' else 'changed' end, new.state, p.state,
           d.org, d.no, d.household
    from finding f
    join device d on d.no = f.device
    left join lateral (
        select r.state from finding_revision r where r.finding = new.finding and r.revision < new.revision
        order by r.revision desc limit 1
    ) p on true
    where f.id = new.finding;
    perform pg_notify('wellkept_api_event', '');
    return null;
end $$;
create trigger api_event_created after insert on finding_revision for each row execute function api_event_finding();

create function api_event_device() returns trigger language plpgsql as $$
begin
    insert into api_event (kind, subject, what, state, was, org, device, household)
    select 'device', d.org || '/' || d.device, 'changed', new.health,
           case tg_op when 'INSERT' then 'unknown' else old.health end, d.org, d.no, d.household
    from device d where d.no = new.device;
    perform pg_notify('wellkept_api_event', '');
    return null;
end $$;
create trigger api_event_created after insert on device_observed for each row
    when (new.health <> 'unknown') execute function api_event_device();
create trigger api_event_changed after update on device_observed for each row
    when (old.health is distinct from new.health) execute function api_event_device();
