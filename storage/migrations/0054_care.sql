-- Answers to guides, self-tests, photos, surveys, consent with its history, erasures, and the audit log.
-- Every time is fleet time and given by the caller.
create table self_check (
    ticket      uuid not null references ticket (id),
    episode     integer not null,
    fault       text not null,
    step        smallint not null check (step > 0),
    answer      text not null,
    leads       text not null,
    note        text not null default '',
    actor       text not null,
    at          timestamptz not null,
    primary key (ticket, episode, fault, step)
);
comment on table self_check is 'what was answered to a step of a guide; leads is next, wait, visit or the number of a step';

create table self_test (
    id          uuid primary key,
    ticket      uuid not null references ticket (id),
    device      integer not null references device (no),
    actor       text not null,
    asked       timestamptz not null,
    sent        timestamptz,
    answered    timestamptz,
    status      text check (status in ('ok', 'busy', 'error', 'silent')),
    values      jsonb not null default '{}',
    error       text not null default ''
);
create index self_test_ticket on self_test (ticket, asked);
create index self_test_open on self_test (asked) where answered is null;

create table photo (
    id          uuid primary key,
    ticket      uuid not null references ticket (id),
    at          timestamptz not null,
    actor       text not null,
    media       text not null check (media in ('image/jpeg', 'image/png', 'image/webp')),
    sha256      text not null,
    content     bytea not null,
    unique (ticket, sha256)
);
create index photo_ticket on photo (ticket, at);

create table survey (
    ticket      uuid primary key references ticket (id),
    asked       timestamptz not null,
    score       smallint check (score between 1 and 5),
    words       text not null default '',
    follow_up   boolean,
    answered    timestamptz,
    check ((score is null) = (answered is null))
);
comment on table survey is 'one for each case, however often it is repaired';
create index survey_answered on survey (answered) where answered is not null;

alter table household
    add column consent_analytics boolean not null default true,
    add column consent_follow_up boolean not null default true,
    add column erased timestamptz;
comment on column household.consent_analytics is 'its cases count in reports';
comment on column household.consent_follow_up is 'it is asked afterwards how it was';

create table consent_change (
    id          uuid primary key,
    household   uuid not null references household (id),
    purpose     text not null check (purpose in ('alerts', 'service', 'analytics', 'follow_up')),
    granted     boolean not null,
    at          timestamptz not null,
    actor       text not null
);
create index consent_change_household on consent_change (household, at, id);

create table erasure (
    household   uuid primary key references household (id),
    requested   timestamptz not null,
    actor       text not null,
    done        timestamptz,
    report      jsonb not null default '{}'
);

-- Who read personal data and who went past a rule. Each row carries the hash of the one before: what is changed, taken
-- out or put in later shows. Rows are sealed at the commit of whoever caused them, so that nobody waits before that.
create table audit_log (
    seq         bigint primary key,
    content     text not null,
    prev        bytea not null,
    hash        bytea not null
);
comment on table audit_log is 'hash = SHA-256(prev || content); content is JSON with sorted keys';
create index audit_log_household on audit_log ((content::jsonb ->> 'household'), seq);

create table audit_intake (
    id          bigint generated always as identity primary key,
    content     text not null
);
comment on table audit_intake is 'on its way into audit_log; empty outside transactions';

create function audit_seal() returns trigger language plpgsql as $$
declare
    before audit_log%rowtype;
    head bytea := decode(repeat('00', 32), 'hex');
begin
    perform pg_advisory_xact_lock(7239411);
    select * into before from audit_log order by seq desc limit 1;
    if found then
        head := before.hash;
    end if;
    insert into audit_log (seq, content, prev, hash) values (
        coalesce(before.seq, 0) + 1, new.content, head, sha256(head || convert_to(new.content, 'UTF8')));
    delete from audit_intake where id = new.id;
    return null;
end
$$;
create constraint trigger audit_intake_seal after insert on audit_intake
    deferrable initially deferred for each row execute function audit_seal();

create function audit_keep() returns trigger language plpgsql as $$
begin
    raise exception 'the audit log is only ever added to' using errcode = 'insufficient_privilege';
end
$$;
create trigger audit_log_keep before update or delete on audit_log for each row execute function audit_keep();
create trigger audit_log_keep_all before truncate on audit_log for each statement execute function audit_keep();
