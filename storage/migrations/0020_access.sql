-- Who may come in: staff with passwords and sessions, bearer tokens with a role, owners' links with one household's or ticket's rights.
create table staff_user (
    id          uuid primary key,
    login       text not null unique check (login ~ '^[a-z][a-z0-9._-]{0,31}$'),
    name        text not null,
    role        text not null check (role in ('admin', 'dispatcher', 'technician', 'engineer', 'read_only')),
    lang        text not null default 'en' check (lang in ('en', 'zh')),
    password    text not null,
    created     timestamptz not null,
    disabled    timestamptz
);
comment on column staff_user.password is 'argon2id, with its parameters';

create table staff_session (
    digest      bytea primary key,
    staff       uuid not null references staff_user (id) on delete cascade,
    created     timestamptz not null,
    expires     timestamptz not null
);
comment on table staff_session is 'digest: SHA-256 of the cookie''s secret; times are wall times';
create index staff_session_expires on staff_session (expires);

create table access_token (
    id          uuid primary key,
    digest      bytea not null unique,
    label       text not null,
    role        text not null
                check (role in ('admin', 'dispatcher', 'technician', 'owner', 'engineer', 'read_only', 'people')),
    org         text,
    household   uuid,
    ticket      uuid,
    technician  text,
    created     timestamptz not null,
    expires     timestamptz,
    revoked     timestamptz,
    check ((role = 'owner') = (household is not null or ticket is not null)),
    check (household is null or ticket is null)
);
comment on table access_token is 'digest: SHA-256 of a secret of at least 128 bits; scopes narrow what the role may see';
comment on column access_token.expires is 'wall time; fleet time for role owner, whose links live as long as the service they belong to';
create index access_token_ticket on access_token (ticket) where ticket is not null;
