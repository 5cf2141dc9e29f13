-- A repair by another way is billed too: a bill belongs to a visit or to a repair elsewhere, never to both.
alter table bill alter column visit drop not null;
alter table bill add column way uuid unique references way_case (id);
alter table bill add constraint bill_of_one check (num_nonnulls(visit, way) = 1) not valid;
alter table bill validate constraint bill_of_one;
