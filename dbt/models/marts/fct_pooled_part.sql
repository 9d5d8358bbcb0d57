-- The districts' rows behind every community value that was added up from them, in every version of it.
-- Belongs here: file, sheet and row of each district that the version counts, with its counts.
-- Does not: the sums or their coverage (int_values__pooled), or values that a community sent itself.
select
    pooled.community_id,
    pooled.indicator_id,
    pooled.population_group_id,
    parts.geography_id,
    pooled.school_year,
    pooled.series,
    pooled.known_from,
    pooled.known_to,
    parts.numerator,
    parts.denominator,
    parts.reporting_year,
    parts.submission_id,
    parts.source_file,
    parts.source_sheet,
    parts.source_row
from {{ ref('int_values__pooled') }} as pooled
inner join {{ ref('int_values__poolable') }} as parts
    on pooled.community_id = parts.community_id
    and pooled.indicator_id = parts.indicator_id
    and pooled.series = parts.series
    and pooled.population_group_id = parts.population_group_id
    and pooled.school_year = parts.school_year
    and pooled.known_from between parts.known_from and parts.known_to
where parts.is_district and parts.reports
