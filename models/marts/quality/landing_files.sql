select
    crm,
    entity,
    path,
    format,
    is_delta,
    status,
    reason,
    rows_in_file,
    rows_landed,
    rows_set_aside,
    rows_repeated,
    array_to_string(missing_columns, ', ') as missing_columns,
    array_to_string(extra_columns, ', ') as extra_columns,
    size_bytes,
    sha256,
    extracted_at
from {{ source('landing', 'files') }}
