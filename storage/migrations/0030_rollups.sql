-- Roll-ups of readings by minute, hour and day, and how far they and the retention have come.
-- With the TimescaleDB extension `storage/timescale.py` replaces the tables by continuous aggregates of the same names.
create table reading_horizon (
    kind        text primary key,
    rolled_to   timestamptz not null default '-infinity',
    kept_from   timestamptz not null default '-infinity',
    held_by     integer references device (no),
    held_from   timestamptz
);
comment on table reading_horizon is 'one row a kind; every time is event time';
comment on column reading_horizon.rolled_to is 'who stores a reading before it notes that in rollup_late; -infinity where the extension does so itself';
comment on column reading_horizon.kept_from is 'readings before it were dropped, and their roll-ups are final';
comment on column reading_horizon.held_by is 'the device whose unread readings keep the retention back, from held_from on';

create table rollup_progress (
    kind        text not null references reading_horizon (kind),
    level       text not null check (level in ('minute', 'hour', 'day')),
    done        timestamptz not null default '-infinity',
    kept_from   timestamptz not null default '-infinity',
    primary key (kind, level)
);
comment on column rollup_progress.done is 'buckets that end by then are complete';

-- Append-only for workers, emptied by the roll-up job.
create table rollup_late (
    id          bigint generated always as identity primary key,
    kind        text not null,
    device      integer not null,
    low         timestamptz not null,
    high        timestamptz not null
);
comment on table rollup_late is 'readings of a device from low to high came after their buckets had been rolled up';

create function rollup_create(of_kind text) returns void language plpgsql as $$
declare
    channels text;
    each_level text;
begin
    select string_agg(format('%1$I real, %2$I real, %3$I double precision, %4$I bigint not null',
               attname || '_min', attname || '_max', attname || '_sum', attname || '_count'), ', ' order by attnum)
        into strict channels
        from pg_attribute
        where attrelid = ('reading_' || of_kind)::regclass and atttypid = 'real'::regtype and not attisdropped;
    insert into reading_horizon (kind) values (of_kind);
    foreach each_level in array array['minute', 'hour', 'day'] loop
        insert into rollup_progress (kind, level) values (of_kind, each_level);
        execute format('create table %I (device integer not null, bucket timestamptz not null, n bigint not null, %s, '
            'primary key (device, bucket))', 'rollup_' || of_kind || '_' || each_level, channels);
    end loop;
end
$$;
comment on function rollup_create is 'for the migration that adds reading_KIND: its three tables of roll-ups';

select rollup_create('refrigerator');
select rollup_create('washing_machine');
select rollup_create('smart_plug');
select rollup_create('pump');
