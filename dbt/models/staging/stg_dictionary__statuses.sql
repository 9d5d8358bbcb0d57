-- Every closed vocabulary of the marts, word by word.
-- Belongs here: names and types of seed dictionary/statuses.
-- Does not: which column holds which vocabulary (the tests of each table).
select
    trim(domain) as domain,
    trim(status) as status,
    trim(label) as label,
    trim(meaning) as meaning,
    cast(trim(order_no) as integer) as order_no,
    trim(color) as color,
    lower(trim(public_only)) = 'true' as public_only
from {{ ref('statuses') }}
