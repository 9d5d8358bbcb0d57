-- Units that may be submitted, and the unit each is stored in.
-- Belongs here: names and types of seed dictionary/units.
-- Does not: conversion (the intake).
select
    trim(unit) as unit,
    trim(stored_unit) as stored_unit,
    cast(factor as double) as factor,
    cast(minimum as double) as minimum,
    cast(maximum as double) as maximum
from {{ ref('units') }}
