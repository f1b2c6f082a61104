"""The rows inside JSON documents: REST answers come as pages with the rows somewhere below."""

from orchestration.defs.landing.sql import literal


def rows_of_pages(places: tuple[str, ...], pages: str) -> str:
    """SELECT of one JSON row a line, from `pages` with a JSON document a line.

    A page gives the rows at the first of the `places` (as in result.items, * is any key) that it has. There may
    be a list, one object, or several lists or objects under keys of their own. A page that begins like a place
    but has nothing there has no rows; a document that is no page at all is a row itself, or a list of rows.
    """
    whens = [when for place in places for when in _at_place(place.split("."))]
    begun = [
        f"json_type(page, {literal(_path([place.split('.')[0]]))}) in ('ARRAY', 'OBJECT', 'NULL')" for place in places
    ]
    return f"""
        select unnest(case when page is null then [line] else rows::varchar[] end) as line
        from (
            select
                line,
                page,
                case
                    {" ".join(whens)}
                    when {" or ".join(begun) or "false"} then []::json[]
                    when json_type(page) = 'ARRAY' then json_extract(page, '$[*]')
                    else [page]
                end as rows
            from (select line, case when json_valid(line) then line::json end as page from {pages})
        )
    """


def _path(keys: list[str]) -> str:
    return "$" + "".join(".*" if key == "*" else f'."{key}"' for key in keys)


def _at_place(keys: list[str]) -> list[str]:
    path = _path(keys)
    at, items, members, nested = (literal(path + tail) for tail in ("", "[*]", ".*", ".*[*]"))
    if "*" in keys:
        # A key that is missing below one of the members is no rows there.
        return [f"when len(json_extract(page, {at})) > 0 then json_extract(page, {items})"]
    is_object = f"json_type(page, {at}) = 'OBJECT'"

    def all_are(kind: str) -> str:
        return f"len(list_filter(json_extract(page, {members}), lambda one: json_type(one) <> '{kind}')) = 0"

    return [
        f"when json_type(page, {at}) = 'ARRAY' then json_extract(page, {items})",
        f"when json_type(page, {at}) = 'NULL' then []::json[]",
        f"when {is_object} and {all_are('ARRAY')} then json_extract(page, {nested})",
        f"when {is_object} and {all_are('OBJECT')} then json_extract(page, {members})",
        f"when {is_object} then [json_extract(page, {at})]",
    ]
