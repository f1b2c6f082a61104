-- Every row of an extract file landed, was set aside or was known already; none is unaccounted for.
select
    path,
    rows_in_file,
    rows_landed,
    rows_set_aside,
    rows_repeated
from {{ ref('landing_files') }}
where rows_in_file <> rows_landed + rows_set_aside + rows_repeated
