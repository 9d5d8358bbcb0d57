-- Twenty questions of analysts, each asked of one table or by one join; the dictionary of every release shows them.
-- Belongs here: questions over schema marts that hold in every release. Does not: what a column means (dbt/models).

-- Which outcomes does each community improve, as its latest reporting year has it?
select community_name, outcome_name, trend_status, reason
from marts.rpt_outcome_status_current
order by community_name, outcome_name;

-- What did students of one community reach in one indicator, year by year?
select series, school_year_date, value, numerator, denominator, value_status
from marts.rpt_indicator_value_annual
where community_name = 'Quill Harbor' and indicator_id = 'graduation_4yr_pct' and population_group_id = 'all'
order by series, school_year_date;

-- What is the latest value of each indicator, by community?
select community_name, indicator_name, school_year, value, unit, value_status
from marts.rpt_indicator_value_current
where population_group_id = 'all' and geography_id = community_id
order by indicator_name, community_name;

-- How fast does an indicator rise or fall, and how sure is that?
select community_name, indicator_name, slope, slope_ci_low, slope_ci_high, n_years, trend_status, robustness
from marts.rpt_trend_current
where population_group_id = 'all' and geography_id = community_id
order by indicator_name, community_name;

-- Which trends are undetermined, and why?
select reason, count(*) as n_trends
from marts.rpt_trend_current
where trend_status = 'undetermined'
group by reason
order by reason;

-- Which gaps between groups narrow, and which widen?
select community_name, indicator_name, group_label, first_gap, last_gap, gap_status
from marts.rpt_gap_current
where geography_id = community_id
order by community_name, indicator_name, group_label;

-- Where do the students of one group stand beside the group they are compared with, year by year?
select community_id, reporting_year, school_year, group_value, reference_value, gap, used
from marts.fct_gap_year
where
    indicator_id = 'graduation_4yr_pct' and geography_id = community_id
    and population_group_id = 'race_ethnicity:black'
order by community_id, reporting_year, school_year;

-- Why is a value missing, and how often?
select value_status, count(*) as n_values
from marts.rpt_indicator_value_annual
group by value_status
order by value_status;

-- Which communities hold a designation, and when is it reviewed?
select community_name, designation, status, standing, next_review_due
from marts.rpt_designation_current
order by community_name, designation;

-- In which gateway does each community operate?
select community_name, state, operating_in, gateways_met
from marts.rpt_gateway_status_current
order by community_name;

-- How many communities improve an indicator, over the years as they were known then?
select reporting_year, n_communities, n_improving, n_maintained, n_declining, n_undetermined
from marts.fct_network_trend
where indicator_id = 'graduation_4yr_pct' and population_group_id = 'all'
order by reporting_year;

-- Which share of communities improves each outcome?
select outcome.name, counts.reporting_year, counts.n_communities, counts.share_improving
from marts.fct_network_outcome as counts
inner join marts.dim_outcome as outcome using (outcome_id)
order by outcome.position, counts.reporting_year;

-- What does a status mean, in which order and colour is it drawn?
select domain, status, label, meaning, order_no, color
from marts.dim_status
order by domain, order_no;

-- Which folders have not come, whether their last day has passed or not, or were refused?
select submission.reporting_year, community.name, submission.status, submission.due_on
from marts.fct_submission_status as submission
inner join marts.dim_community as community using (community_id)
where submission.status in ('expected', 'late', 'rejected')
order by submission.reporting_year, community.name;

-- What was refused, in which file and row, and how is it mended?
select community_id, source_file, source_sheet, source_row, source_column, found, allowed, message, remedy
from marts.fct_finding
where severity in ('fatal', 'error')
order by community_id, source_file, source_row, finding_id;

-- Which labels wait for a line of a crosswalk?
select community_id, raw_indicator, raw_dimension, raw_group, n_rows
from marts.fct_waiting_row
order by community_id, raw_indicator, raw_dimension, raw_group;

-- From a slope back to the rows of files, and the folder they came in: which points were used, and which left out?
select
    point.school_year, point.series, point.value, point.used, point.left_out_reason, point.source_file,
    point.source_row, submission.status
from marts.fct_trend_point as point
inner join marts.dim_submission as submission using (submission_id)
where
    point.community_id = 'quill_harbor' and point.indicator_id = 'graduation_4yr_pct'
    and point.geography_id = point.community_id and point.population_group_id = 'all' and point.reporting_year = 2018
order by point.school_year, point.series;

-- Which targets in force were missed or off track, as known in each reporting year?
select
    community.name, target.reporting_year, target.indicator_id, target.population_group_id, target.deadline,
    target.target_value, target.latest_value, target.status
from marts.fct_target_progress as target
inner join marts.dim_community as community using (community_id)
where target.is_in_force and target.status in ('missed', 'off_track')
order by community.name, target.reporting_year, target.indicator_id, target.population_group_id, target.deadline;

-- What was missing for the gateway that a community works at, as known in each reporting year?
select
    community.name, missing.reporting_year, missing.gateway, missing.criterion_id, missing.statement, missing.status,
    missing.reason
from marts.fct_gateway_missing as missing
inner join marts.dim_community as community using (community_id)
order by community.name, missing.reporting_year, missing.criterion_id;

-- What was known in reporting year 2017, whatever was restated since?
select indicator_id, school_year, series, value, value_status
from marts.fct_indicator_value_history
where
    2017 between known_from and known_to and community_id = 'quill_harbor' and population_group_id = 'all'
    and geography_id = community_id
order by indicator_id, school_year, series, period;
