-- What an owner tells us for a visit: how to get in, and whether somebody of age is at home.
-- Every time is fleet time and given by the caller.
create table household_access (
    household   uuid primary key references household (id),
    entry       text not null default '' check (length(entry) <= 500),
    parking     text not null default '' check (length(parking) <= 500),
    pets        text not null default '' check (length(pets) <= 500),
    at          timestamptz not null
);
comment on table household_access is 'the last word of the household; a technician sees it on the day of a visit only';

create table visit_presence (
    visit       uuid primary key references visit (id),
    adult       boolean not null,
    at          timestamptz not null
);
comment on table visit_presence is 'whether somebody of age is at home in the window of a visit; asked anew when it moves';
