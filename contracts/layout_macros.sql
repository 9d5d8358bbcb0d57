-- Words that the SELECT of every layout may use beside those of the engine.
-- Belongs here: comparing the values a layout decides by, whichever way an export prints them.
-- Does not: what a value means (crosswalks), any table.

-- plain('03') = plain('3.0') = plain('Grade 3') = plain('Gr. 3') = plain('G3') = plain('3rd grade') = '3';
-- plain(' All  Students ') = 'all students'.
create or replace macro plain(printed) as (
    with words as (select regexp_replace(lower(trim(printed)), '\s+', ' ', 'g') as text),
    graded as (
        select
            regexp_extract(
                text, '^(?:(?:grade|grado|gr\.?|g)[ :#-]*)?0*([0-9]+)(?:\.0+)?(?:st|nd|rd|th)?(?: grade)?$', 1
            ) as number,
            text
        from words
    )
    select case when number <> '' then number else text end from graded
);
