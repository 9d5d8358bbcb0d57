-- Population groups: `all`, and dimension:group for every group of the dictionary.
-- Belongs here: the one key that group `all` of any dimension falls on.
-- Does not: places (dim_geography), or which groups a community holds to be burdened.
select
    case when groups.group_code = 'all' then 'all' else groups.dimension || ':' || groups.group_code end
        as population_group_id,
    groups.dimension,
    groups.group_code as {{ adapter.quote('group') }},
    groups.label,
    dimensions.label as dimension_label,
    coalesce(groups.group_code = dimensions.reference_group, false) as is_reference,
    groups.scheme,
    groups.ceds_code,
    groups.edfi_code
from {{ ref('stg_dictionary__groups') }} as groups
inner join {{ ref('stg_dictionary__dimensions') }} as dimensions using (dimension)
where groups.group_code != 'all' or groups.dimension = 'all'
