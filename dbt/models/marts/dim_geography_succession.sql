-- Places that have ended, and every later place that holds a share of them, over splits and mergers of splits.
-- Belongs here: the bridge that an analyst carries counts over; weights of the latest successors of a place add to one.
-- Does not: enter any value, trend or gap: a carried count is an estimate (docs/rules-readings.md).
with recursive successions as (
    select community_id, geography_id, successor_id, weight
    from {{ ref('stg_crosswalks__geography_successions') }}
    where community_id in (select community_id from {{ ref('stg_network__communities') }})
),

carried as (
    select community_id, geography_id, successor_id, weight, 1 as steps
    from successions
    union all
    select
        carried.community_id, carried.geography_id, successions.successor_id,
        carried.weight * successions.weight as weight, carried.steps + 1 as steps
    from carried
    inner join successions
        on carried.community_id = successions.community_id and carried.successor_id = successions.geography_id
),

ended as (
    select distinct community_id, geography_id
    from successions
)

select
    carried.community_id,
    carried.geography_id,
    carried.successor_id,
    -- Shares that reach one place on two ways are one share.
    sum(carried.weight) as weight,
    cast(max(carried.steps) as integer) as steps,
    bool_and(ended.geography_id is null) as is_latest
from carried
left join ended
    on carried.community_id = ended.community_id and carried.successor_id = ended.geography_id
group by carried.community_id, carried.geography_id, carried.successor_id
