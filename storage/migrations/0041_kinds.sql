-- Freezer, heat pump, water heater, dishwasher and tumble dryer: a typed table each, and its roll-ups.
create table reading_freezer (
    device integer not null, t timestamptz not null, epoch bigint not null, seq bigint not null, sub smallint not null,
    arrival timestamptz not null, phase text, late boolean not null default false,
    power real, temp_air real, temp_evaporator real, ambient real, fan_speed real, door_open real,
    unique (device, epoch, seq, sub, t)
);
create index reading_freezer_time on reading_freezer (device, t);

create table reading_heat_pump (
    device integer not null, t timestamptz not null, epoch bigint not null, seq bigint not null, sub smallint not null,
    arrival timestamptz not null, phase text, late boolean not null default false,
    power real, temp_return real, temp_supply real, temp_outdoor real, temp_coil real, compressor_speed real,
    fan_speed real,
    unique (device, epoch, seq, sub, t)
);
create index reading_heat_pump_time on reading_heat_pump (device, t);

create table reading_water_heater (
    device integer not null, t timestamptz not null, epoch bigint not null, seq bigint not null, sub smallint not null,
    arrival timestamptz not null, phase text, late boolean not null default false,
    power real, temp_tank real, temp_outlet real, flow real, temp_inlet real,
    unique (device, epoch, seq, sub, t)
);
create index reading_water_heater_time on reading_water_heater (device, t);

create table reading_dishwasher (
    device integer not null, t timestamptz not null, epoch bigint not null, seq bigint not null, sub smallint not null,
    arrival timestamptz not null, phase text, late boolean not null default false,
    power real, water_level real, water_temp real, spray_pressure real,
    unique (device, epoch, seq, sub, t)
);
create index reading_dishwasher_time on reading_dishwasher (device, t);

create table reading_tumble_dryer (
    device integer not null, t timestamptz not null, epoch bigint not null, seq bigint not null, sub smallint not null,
    arrival timestamptz not null, phase text, late boolean not null default false,
    power real, drum_speed real, temp_in real, temp_out real, moisture real, fan_speed real, load real,
    unique (device, epoch, seq, sub, t)
);
create index reading_tumble_dryer_time on reading_tumble_dryer (device, t);

select rollup_create('freezer');
select rollup_create('heat_pump');
select rollup_create('water_heater');
select rollup_create('dishwasher');
select rollup_create('tumble_dryer');
