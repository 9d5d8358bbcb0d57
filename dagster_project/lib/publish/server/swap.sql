-- The schema {next} takes the place of {schema}: one statement, so one transaction.
-- Belongs here: waiting for readers, the swap, dropping what was there. Does not: filling {next} (loading.py).
--
-- A reader that has read one table of {schema} in its transaction holds that table until it ends. Only when nobody
-- holds any of them do both schemas change places, so a transaction never reads two releases. All tables are locked
-- within a moment or none: whoever waits for the second table while holding the first is let through, and the lock is
-- tried again. A reader that comes in the meantime waits, and then finds the new tables under the old names.
do $$
declare
    tables text;
    dependents text;
    patience_ends timestamptz := clock_timestamp() + interval '{patience} seconds';
begin
    with own as (
        select oid, reltype from pg_catalog.pg_class
        where relnamespace = to_regnamespace('{schema}') and relkind = 'r'
    ),

    hanging as (
        select pg_rewrite.ev_class::regclass::text as what
        from pg_catalog.pg_depend
        inner join pg_catalog.pg_rewrite on pg_rewrite.oid = pg_depend.objid
        inner join own on own.oid = pg_depend.refobjid
        where pg_depend.classid = 'pg_rewrite'::regclass and pg_depend.refclassid = 'pg_class'::regclass
        union
        select pg_depend.objid::regprocedure::text
        from pg_catalog.pg_depend
        inner join own
            on (own.oid = pg_depend.refobjid and pg_depend.refclassid = 'pg_class'::regclass)
            or (own.reltype = pg_depend.refobjid and pg_depend.refclassid = 'pg_type'::regclass)
        where pg_depend.classid = 'pg_proc'::regclass
        union
        select pg_constraint.conrelid::regclass::text
        from pg_catalog.pg_constraint
        inner join own on own.oid = pg_constraint.confrelid
        where pg_constraint.contype = 'f' and pg_constraint.connamespace <> to_regnamespace('{schema}')
    )

    select string_agg(what, ', ' order by what) into dependents from hanging;
    if dependents is not null then
        raise exception 'views, functions or keys hang on schema {schema} and would be lost with it: %; drop them',
            dependents;
    end if;
    select string_agg(format('%I.%I', schemaname, tablename), ', ' order by tablename) into tables
    from pg_catalog.pg_tables where schemaname = '{schema}';
    if tables is not null then
        set local lock_timeout = '100ms';
        loop
            begin
                execute 'lock table ' || tables || ' in access exclusive mode';
                exit;
            exception when lock_not_available then
                if clock_timestamp() > patience_ends then
                    raise exception 'readers held tables of schema {schema} for {patience} seconds';
                end if;
            end;
            perform pg_sleep(0.05);
        end loop;
        -- Foreign keys within the schema go with it.
        drop schema {schema} cascade;
    else
        drop schema if exists {schema};
    end if;
    alter schema {next} rename to {schema};
end
$$;
