-- How far a person or a token of ours reaches: one organisation, some areas, the technician who they are.
alter table staff_user
    add column org text,
    add column areas text[],
    add column technician uuid references technician (id),
    add column subject text unique;
comment on column staff_user.org is 'the only organisation that the person sees; all when null';
comment on column staff_user.areas is 'the only areas of households that a dispatcher sees; all when null';
comment on column staff_user.technician is 'who the person is on the road, for role technician';
comment on column staff_user.subject is 'issuer and subject of the person''s sign-in elsewhere (OpenID Connect), as `issuer#subject`';
alter table access_token add column areas text[];
alter table access_token drop constraint access_token_role_check;
alter table access_token add constraint access_token_role_check check
    (role in ('admin', 'dispatcher', 'technician', 'owner', 'engineer', 'read_only', 'people', 'integration'));
