-- One typed table a kind. The unique key holds the time column, as a hypertable demands.
create table reading_refrigerator (
    device integer not null, t timestamptz not null, epoch bigint not null, seq bigint not null, sub smallint not null,
    arrival timestamptz not null, phase text, late boolean not null default false,
    power real, temp_fridge real, temp_freezer real, ambient real, temp_condenser real, fan_speed real, door_open real,
    unique (device, epoch, seq, sub, t)
);
create index reading_refrigerator_time on reading_refrigerator (device, t);

create table reading_washing_machine (
    device integer not null, t timestamptz not null, epoch bigint not null, seq bigint not null, sub smallint not null,
    arrival timestamptz not null, phase text, late boolean not null default false,
    power real, drum_speed real, water_level real, water_temp real, vibration real, load real,
    unique (device, epoch, seq, sub, t)
);
create index reading_washing_machine_time on reading_washing_machine (device, t);

create table reading_smart_plug (
    device integer not null, t timestamptz not null, epoch bigint not null, seq bigint not null, sub smallint not null,
    arrival timestamptz not null, phase text, late boolean not null default false,
    power real,
    unique (device, epoch, seq, sub, t)
);
create index reading_smart_plug_time on reading_smart_plug (device, t);

create table reading_pump (
    device integer not null, t timestamptz not null, epoch bigint not null, seq bigint not null, sub smallint not null,
    arrival timestamptz not null, phase text, late boolean not null default false,
    accel_1 real, accel_2 real, current real, pressure real, temp_motor real, temp_fluid real, voltage real, flow real,
    unique (device, epoch, seq, sub, t)
);
create index reading_pump_time on reading_pump (device, t);
