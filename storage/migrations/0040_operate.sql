-- Backups, whose positions hold the stream's purge, and the message that each finding goes back to.
create table backup (
    id          uuid primary key,
    began       timestamptz not null,
    finished    timestamptz,
    released    timestamptz,
    folder      text not null
);
comment on table backup is 'times are wall times; finished is set once everything lies in the folder; released: its positions hold nothing any more';
create index backup_holds on backup (finished desc) where released is null;

create table backup_position (
    backup      uuid not null references backup (id) on delete cascade,
    partition   smallint not null,
    incarnation text not null,
    seq         bigint not null,
    primary key (backup, partition)
);
comment on table backup_position is 'committed positions before the backup''s snapshot: what lies behind them stays in the stream';

create table correlation (
    finding     uuid primary key references finding (id),
    message     text not null
);
comment on column correlation.message is 'org/device/epoch/seq of the message that brought the finding about';
create index correlation_message on correlation (message);
