-- Agreements under which data are shared, every reporting year that states one.
-- Belongs here: names and types of landing table register_data_sharing_agreements.
-- Does not: choose among years.
select
    cast(community_id as varchar) as community_id,
    cast(reporting_year as integer) as reporting_year,
    cast(party as varchar) as party,
    cast(sector as varchar) as sector,
    cast(data_level as varchar) as data_level,
    cast(purpose as varchar) as purpose,
    cast(start_date as date) as start_date,
    cast(end_date as date) as end_date,
    cast(destruction_date as date) as destruction_date
from {{ source('landing', 'register_data_sharing_agreements') }}
