select
    crm,
    entity,
    path,
    line,
    column_name,
    value,
    reason,
    raw_text
from {{ source('landing', 'rejects') }}
