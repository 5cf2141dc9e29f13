-- Changes leave for other systems: webhooks of an organisation, and the stream's server; prices are changes, too.
alter table api_event drop constraint api_event_kind_check;
alter table api_event add constraint api_event_kind_check
    check (kind in ('ticket', 'visit', 'quote', 'notice', 'finding', 'device'));

create function api_event_quote() returns trigger language plpgsql as $$
begin
    insert into api_event (kind, subject, what, state, was, org, device, household, ticket)
    select 'quote', new.id, case tg_op when 'INSERT' then 'created' else 'changed' end, new.state,
           case tg_op when 'INSERT' then null else old.state end, t.org, t.device, t.household, t.id
    from ticket t where t.id = new.ticket;
    perform pg_notify('wellkept_api_event', '');
    return null;
end $$;
create trigger api_event_created after insert on quote for each row execute function api_event_quote();
create trigger api_event_changed after update on quote for each row
    when (old.version is distinct from new.version or old.state is distinct from new.state)
    execute function api_event_quote();

create table webhook (
    id          uuid primary key,
    org         text not null,
    url         text not null check (length(url) between 1 and 2000),
    note        text not null default '',
    types       text[] not null default '{}',
    areas       text[] not null default '{}',
    secret      bytea not null check (length(secret) between 24 and 64),
    old_secret  bytea,
    old_until   timestamptz,
    state       text not null check (state in ('enabled', 'paused', 'disabled')),
    why         text not null default '',
    made        timestamptz not null,
    failing     timestamptz,
    stopped     bigint,
    version     integer not null default 0,
    check ((stopped is null) = (state = 'enabled'))
);
comment on table webhook is 'where an organisation wants changes sent; all times of webhooks are wall times';
comment on column webhook.secret is 'signs what is sent, so that it cannot be kept as a hash only';
comment on column webhook.types is 'kinds of changes; all when empty';
comment on column webhook.areas is 'of households; all when empty';
comment on column webhook.failing is 'since when nothing has got through; null after a success';
comment on column webhook.stopped is 'the last number of the feed before it was paused or disabled: from there it goes on';
create index webhook_org on webhook (org, made);

create table webhook_delivery (
    id          uuid primary key default gen_random_uuid(),
    place       bigint generated always as identity unique,
    webhook     uuid not null references webhook (id) on delete cascade,
    cause       text not null check (cause in ('change', 'replay', 'test')),
    event       jsonb not null,
    state       text not null default 'pending' check (state in ('pending', 'delivered', 'failed', 'skipped')),
    made        timestamptz not null,
    due         timestamptz not null,
    tries       integer not null default 0,
    round       integer not null default 0,
    tried       timestamptz,
    status      smallint,
    took_ms     integer,
    answer      text not null default '',
    why         text not null default ''
);
comment on column webhook_delivery.place is 'the order in which an endpoint is sent to';
comment on column webhook_delivery.round is 'tries since it was entered or the endpoint was enabled: where it stands in the schedule';
create index webhook_delivery_line on webhook_delivery (webhook, place);
create index webhook_delivery_pending on webhook_delivery (webhook, place) where state = 'pending';
create index webhook_delivery_age on webhook_delivery (made) where state <> 'pending';

create table event_relay (
    one         boolean primary key default true check (one),
    position    bigint not null
);
comment on table event_relay is 'up to which number of the feed the stream''s server has every change';
insert into event_relay (position) select newest from api_feed;
