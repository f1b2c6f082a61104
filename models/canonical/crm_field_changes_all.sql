select * from {{ ref('stg_generic__field_changes') }}
