-- Who may read what. Run by every load; what is there already stays.
-- Belongs here: the three roles, which community a member's login stands for. Does not: rights on tables (forms.py).
-- Logins are the administrator's own: `create role anna login in role bi_internal`.
do $$
declare
    wanted text;
begin
    foreach wanted in array array['bi_public', 'bi_internal', 'bi_member'] loop
        if not exists (select from pg_catalog.pg_roles where rolname = wanted) then
            execute format('create role %I nologin', wanted);
        end if;
    end loop;
end
$$;

-- Where an administrator ran this file, bi_access is the administrator's: a loader then leaves it as it is.
do $$
begin
    if to_regnamespace('bi_access') is null then
        create schema bi_access;
    elsif not exists (
        select from pg_catalog.pg_namespace where nspname = 'bi_access' and pg_has_role(nspowner, 'usage')
    ) then
        return;
    end if;

    comment on schema bi_access is 'Which community a login of a member stands for. Kept by the administrator.';

    create table if not exists bi_access.member_login (
        login name not null,
        community_id text not null,
        primary key (login, community_id)
    );

    comment on table bi_access.member_login is
        'A login in role bi_member and a community whose rows it sees in schema marts. Key: login, community_id.';

    -- A view runs as its owner, and asks for the login that reads: nobody sees whose logins there are.
    create or replace view bi_access.own_community with (security_barrier) as
        select community_id from bi_access.member_login where login = current_user;

    -- To everybody: a loader that does not own it names it in the rights of the marts, and others see no row there.
    grant usage on schema bi_access to public;
    grant select on bi_access.own_community to public;
end
$$;
