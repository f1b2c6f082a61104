"""What lands, what is set aside, what is refused; rows always add up."""

from decimal import Decimal

import duckdb
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from orchestration.defs.landing.contract import ContractError, load_contracts
from orchestration.defs.landing.land import open_warehouse, take_back_pending
from orchestration.defs.warehouse.project import is_built_from
from orchestration.settings import Settings
from tests.python.conftest import DEAL, Extracts
from tests.python.workbooks import write_workbook


def rejects(extracts: Extracts) -> list[tuple]:
    return extracts.query("select line, column_name, value, reason from landing.rejects order by line")


def test_the_same_rows_land_alike_from_every_format(extracts: Extracts):
    rows = [{**DEAL, "deal_id": str(n), "deal_name": 'a "quoted", name\nin two lines'} for n in range(3)]
    extracts.csv("deals.csv", rows, day="2026-01-01")
    extracts.text("deals.csv.gz", extracts.path("deals.csv", "2026-01-01").read_text(), day="2026-01-02")
    extracts.jsonl("deals.jsonl", rows, day="2026-01-03")
    source = extracts.path("deals.csv", "2026-01-01")
    target = extracts.path("deals.parquet", "2026-01-04")
    duckdb.sql(f"copy (select * from read_csv('{source}')) to '{target}' (format parquet)")
    outcomes = extracts.land()
    assert [(o.rows_landed, o.rows_repeated) for o in outcomes] == [(3, 0), (0, 3), (0, 3), (0, 3)]
    assert outcomes[1].status == "landed"  # other bytes, the same rows


def test_values_land_as_declared_types(extracts: Extracts):
    extracts.deals({"created_at": "2026-01-01T13:00:00+03:00", "amount": "1234.50", "is_deleted": "true"})
    extracts.land()
    assert extracts.query(
        "select created_at = timestamp '2026-01-01 10:00:00', amount = 1234.5, is_deleted, typeof(amount) "
        "from raw_generic.deals"
    ) == [(True, True, True, "DECIMAL(18,2)")]


@pytest.mark.parametrize(
    ("change", "column", "reason"),
    [
        ({"deal_id": ""}, "deal_id", "a value is required"),
        ({"amount": "twelve"}, "amount", "not a decimal(18,2)"),
        ({"amount": "1.239"}, "amount", "has more digits than decimal(18,2)"),
        ({"created_at": "31.01.2026"}, "created_at", "not a timestamp"),
        ({"status": "maybe"}, "status", "not one of open, won, lost"),
        ({"created_at": "2026-02-01 00:00:00"}, "created_at", "dated after its extract (2026-01-31 23:59:59)"),
    ],
)
def test_a_row_that_breaks_the_contract_is_set_aside_with_its_place(extracts: Extracts, change, column, reason):
    extracts.deals({"deal_id": "a"}, {"deal_id": "b", **change}, {"deal_id": "c"})
    (outcome,) = extracts.land()
    assert (outcome.rows_in_file, outcome.rows_landed, outcome.rows_set_aside) == (3, 2, 1)
    assert rejects(extracts) == [(3, column, change[column] or None, reason)]


def test_lines_that_do_not_split_are_set_aside_and_do_not_shift_the_lines_of_others(extracts: Extracts):
    extracts.text(
        "users.csv",
        "user_id,user_name,is_active\n1,a,true\n2,b\n3,c,true,x\n4,d,perhaps\n5,e,true\n",
    )
    extracts.land()
    assert [(line, column) for line, column, *_ in rejects(extracts)] == [
        (3, "is_active"),
        (4, None),  # one value too many belongs to no column
        (5, "is_active"),
    ]
    assert extracts.query("select user_id from raw_generic.users order by 1") == [("1",), ("5",)]


def test_the_raw_text_of_a_row_set_aside_is_kept(extracts: Extracts):
    extracts.jsonl("users.jsonl", [{"user_id": "1"}, {"user_name": "no id"}])
    extracts.land()
    assert extracts.query("select raw_text from landing.rejects") == [('{"user_name": "no id"}',)]


def test_one_key_with_two_rows_keeps_the_newer_and_sets_the_other_aside(extracts: Extracts):
    extracts.deals(
        {"amount": "2.00", "updated_at": "2026-01-20 00:00:00"},
        {"amount": "1.00", "updated_at": "2026-01-10 00:00:00"},
        {"amount": "2.00", "updated_at": "2026-01-20 00:00:00"},
    )
    (outcome,) = extracts.land()
    assert (outcome.rows_landed, outcome.rows_set_aside, outcome.rows_repeated) == (1, 1, 1)
    assert extracts.query("select amount from raw_generic.deals") == [(2,)]
    assert "same key" in rejects(extracts)[0][3]


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("users.csv", "user_name,team\na,b\n", "column user_id is missing; the file has user_name, team"),
        ("users.csv", "", "the file is empty"),
        ("users.csv", "user_id,user_id\n1,2\n", "column user_id stands twice in the header"),
        ("users.csv", "user_id,user_name,team\n1,a,b\n2,c", "the last line is incomplete"),
        ("users.csv", 'user_id,user_name\n1,a\n2,"c', "the last line is incomplete"),
        ("users.jsonl", '{"user_id": 1}\n{"user_id": 2, "user_na', "the last line is incomplete"),
        ("users.parquet", "PAR1 and nothing more", "cannot be read to its end"),
    ],
)
def test_a_file_that_cannot_be_trusted_is_refused_whole(extracts: Extracts, name, text, reason):
    extracts.text(name, text)
    (outcome,) = extracts.land()
    assert outcome.status == "refused"
    assert reason in outcome.reason
    assert extracts.query("select count(*) from raw_generic.users") == [(0,)]


def test_a_cut_gzip_is_refused(extracts: Extracts):
    path = extracts.text("users.csv.gz", "user_id,user_name\n" + "".join(f"{n},name {n}\n" for n in range(5000)))
    path.write_bytes(path.read_bytes()[:-200])
    (outcome,) = extracts.land()
    assert outcome.status == "refused"
    assert extracts.query("select count(*) from raw_generic.users") == [(0,)]


def test_too_many_bad_rows_refuse_the_file_and_name_column_and_reason(extracts: Extracts):
    extracts.deals(*({"deal_id": str(n), "amount": "x" if n % 2 else "1"} for n in range(10)))
    (outcome,) = extracts.land(limit=0.05)
    assert outcome.status == "refused"
    assert "column amount: not a decimal(18,2), first in line 3, value 'x'" in outcome.reason
    assert extracts.query("select count(*) from raw_generic.deals, landing.rejects") == [(0,)]


def test_the_same_file_again_lands_nothing_under_any_name(extracts: Extracts):
    extracts.deals({})
    extracts.land()
    assert extracts.land() == []
    extracts.deals({}, name="deals.copy.csv", day="2026-02-01")
    (outcome,) = extracts.land()
    assert (outcome.status, outcome.rows_landed, outcome.rows_repeated) == ("repeated", 0, 1)


def test_only_rows_that_say_something_new_become_versions(extracts: Extracts):
    extracts.deals({"deal_id": "1"}, {"deal_id": "2"}, day="2026-01-01")
    extracts.deals({"deal_id": "1"}, {"deal_id": "2", "stage": "Discovery"}, day="2026-01-02")
    assert [(o.rows_landed, o.rows_repeated) for o in extracts.land()] == [(2, 0), (1, 1)]
    assert extracts.query(
        "select stage, _extracted_at::date::varchar, _superseded_at::date::varchar from raw_generic.deals "
        "where deal_id = '2' order by 2"
    ) == [("Qualification", "2026-01-01", "2026-01-02"), ("Discovery", "2026-01-02", None)]


def test_versions_do_not_depend_on_the_order_of_arrival(tmp_path):
    days = {"2026-01-01": "a", "2026-01-02": "b", "2026-01-03": "b", "2026-01-04": "a"}
    histories = []
    for number, order in enumerate(
        [list(days), list(reversed(days)), ["2026-01-03", "2026-01-01", "2026-01-04", "2026-01-02"]]
    ):
        extracts = Extracts(Settings(tmp_path / str(number)))
        for day in order:
            extracts.deals({"stage": days[day]}, day=day)
            extracts.land()
        histories.append(
            extracts.query("""
                with days as (
                    select unnest(generate_series(date '2026-01-01', date '2026-01-05', interval 1 day)) as day
                )
                select day, list(stage)
                from days inner join raw_generic.deals
                    on _extracted_at < day + interval 1 day
                    and (_superseded_at is null or _superseded_at >= day + interval 1 day)
                group by day order by day
            """)
        )
    assert [row[1] for row in histories[0]] == [["a"], ["b"], ["b"], ["a"], ["a"]]
    assert histories[0] == histories[1] == histories[2]


def test_an_extra_column_is_kept_and_filled_in_when_the_contract_learns_it(extracts: Extracts):
    extracts.csv("users.csv", [{"user_id": "1", "user_name": "Ann", "phone": "123"}])
    (outcome,) = extracts.land()
    assert outcome.extra_columns == ["phone"]
    extracts.query("alter table raw_generic.users drop column user_name")
    extracts.query("""update raw_generic.users set _extra = '{"user_name": "Ann", "phone": "123"}'""")
    extracts.land()
    assert extracts.query("select user_name, _extra ->> 'phone' from raw_generic.users") == [("Ann", "123")]


def test_what_gate_1_did_not_accept_is_taken_back(extracts: Extracts):
    extracts.deals({"deal_id": "1", "stage": "a"}, day="2026-01-01")
    extracts.land()
    path = extracts.deals({"deal_id": "1", "stage": "b"}, {"deal_id": "2"}, day="2026-01-02")
    extracts.land(accepted=False)
    path.unlink()
    with open_warehouse(extracts.settings) as con:
        assert take_back_pending(con, load_contracts()) == [2]
    assert extracts.query("select deal_id, stage, _superseded_at from raw_generic.deals") == [("1", "a", None)]
    assert extracts.query("select count(*) from landing.files") == [(1,)]


@pytest.mark.parametrize(("newest", "is_built"), [(1, False), (2, True)])
def test_what_was_built_by_hand_from_a_load_that_is_taken_back_is_found(extracts: Extracts, newest, is_built):
    extracts.deals({"deal_id": "1"}, day="2026-01-01")
    extracts.land()
    extracts.deals({"deal_id": "1", "stage": "b"}, day="2026-01-02")
    extracts.land(accepted=False)
    with duckdb.connect(str(extracts.settings.marts)) as con:
        con.execute(f"create table fct_deals as select {newest} as _load_id")
    with open_warehouse(extracts.settings) as con:
        undone = take_back_pending(con, load_contracts())
        assert is_built_from(con, extracts.settings.marts, min(undone)) == is_built


def test_a_refused_file_is_looked_at_again_every_night(extracts: Extracts):
    extracts.text("users.csv", "user_name\na\n")
    assert extracts.land()[0].status == "refused"
    extracts.text("users.csv", "user_id,user_name\n1,a\n")
    (outcome,) = extracts.land()
    assert (outcome.status, outcome.rows_landed) == ("landed", 1)
    assert extracts.query("select count(*) from landing.files") == [(1,)]


def test_an_event_stays_one_event_when_a_column_is_added_to_its_file(extracts: Extracts):
    payment = {"deal_id": "1", "kind": "payment", "occurred_at": "2026-01-01", "amount": "100.00", "currency": "EUR"}
    extracts.csv("revenue_events.csv", [payment], day="2026-01-02")
    extracts.csv("revenue_events.csv", [{**payment, "invoice_no": "7"}], day="2026-01-03")
    assert [(o.rows_landed, o.rows_repeated) for o in extracts.land()] == [(1, 0), (0, 1)]


def test_a_time_is_not_cut_down_to_a_date(extracts: Extracts):
    extracts.deals(
        {"deal_id": "1", "expected_close_date": "2026-03-31"},
        {"deal_id": "2", "expected_close_date": "2026-03-31 23:30:00-05:00"},
    )
    extracts.land()
    assert [(column, reason) for _, column, _, reason in rejects(extracts)] == [
        ("expected_close_date", "is a time, not a date")
    ]


def test_a_copy_is_accepted_only_with_the_file_it_repeats(extracts: Extracts):
    first = extracts.deals({}, day="2026-01-01")
    extracts.deals({}, day="2026-01-02")
    assert [o.status for o in extracts.land(accepted=False)] == ["landed", "repeated"]
    first.unlink()
    assert [o.status for o in extracts.land()] == ["landed"]
    assert extracts.query("select count(*) from raw_generic.deals") == [(1,)]


def test_raw_takes_the_type_that_the_contract_declares_by_now(extracts: Extracts):
    extracts.deals({"amount": "1.25"})
    extracts.land()
    extracts.query("alter table raw_generic.deals alter column amount set data type decimal(18, 4)")
    extracts.deals({"amount": "1.50"}, day="2026-02-01")
    extracts.land()
    assert extracts.query("select typeof(amount), amount from raw_generic.deals order by 2") == [
        ("DECIMAL(18,2)", Decimal("1.25")),
        ("DECIMAL(18,2)", Decimal("1.50")),
    ]


@pytest.mark.parametrize(
    "name", ["leads.csv", "deals.txt", "deals[1].csv", "deals_'; drop table landing.files; --.csv", "deals_*.csv"]
)
def test_files_that_are_not_extracts_do_nothing(extracts: Extracts, name):
    extracts.deals({})
    extracts.path(name).write_text("x")
    outcomes = extracts.land()
    assert sorted(o.status for o in outcomes)[0] in ("ignored", "landed")
    assert extracts.query("select count(*) from raw_generic.deals") == [(1,)]


def test_names_and_values_that_carry_sql_are_only_text(extracts: Extracts):
    evil = "'\"; drop table landing.files; --"
    extracts.csv("deals.csv", [{**DEAL, "deal_name": evil, evil: "=cmd()"}])
    extracts.jsonl("users.jsonl", [{"user_id": "../../etc", evil: evil, "$.x": 1, "a/b~c": 2}])
    assert [o.status for o in extracts.land()] == ["landed", "landed"]
    assert extracts.query("select deal_name from raw_generic.deals") == [(evil,)]
    assert extracts.query("select _extra from raw_generic.deals")[0][0].count("=cmd()") == 1


def test_sheets_whose_names_carry_sql_or_a_path_do_nothing(extracts: Extracts):
    sheets = {
        "'); drop table landing.files; --": [["x"]],
        "../../etc": [["x"]],
        "deals": [list(DEAL), [*DEAL.values()]],
    }
    write_workbook(extracts.path("all.xlsx"), sheets)
    write_workbook(extracts.path("users.xlsx"), {"'; drop table landing.files; --": [["user_id"], ["=cmd()"]]})
    outcomes = extracts.land()
    assert sorted(o.status for o in outcomes) == ["ignored", "ignored", "landed", "landed"]
    assert extracts.query("select user_id from raw_generic.users") == [("=cmd()",)]
    assert extracts.query("select count(*) from raw_generic.deals") == [(1,)]


def test_a_contract_whose_key_is_no_column_is_refused(tmp_path):
    (tmp_path / "crm").mkdir()
    (tmp_path / "crm" / "_crm__sources.yml").write_text(
        "sources: [{name: crm, tables: [{name: deals, config: {meta: {key: [id]}}, "
        "columns: [{name: deal_id, data_type: varchar}]}]}]"
    )
    with pytest.raises(ContractError, match="names id, which is not a column"):
        load_contracts(tmp_path)


cells = st.one_of(
    st.none(),
    st.sampled_from(["", "1", "12.50", "-3", "1e3", "x", "2026-01-05", "2026-01-05 10:00:00", "true", "open", "won"]),
    st.text(alphabet=st.characters(blacklist_categories=["Cs", "Cc"]), max_size=8),
    st.sampled_from(['a"b', "a,b", "two\nlines", "tab\there", "quote''s"]),
)
rows = st.lists(
    st.fixed_dictionaries(
        {
            "deal_id": st.one_of(st.none(), st.sampled_from(["1", "2", "3"]), st.uuids().map(str)),
            "deal_name": cells,
            "pipeline": st.just("p"),
            "stage": st.just("s"),
            "status": st.sampled_from(["open", "won", "lost", "odd"]),
            "amount": cells,
            "created_at": st.sampled_from(["2026-01-01", "2026-01-01 10:00:00", "2027-01-01", "", "soon"]),
        }
    ),
    min_size=1,
    max_size=12,
)


@hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=rows, format=st.sampled_from(["csv", "jsonl"]))
def test_rows_add_up_and_no_value_changes_whatever_the_file_holds(tmp_path_factory, rows, format):
    extracts = Extracts(Settings(tmp_path_factory.mktemp("property")))
    if format == "csv":
        extracts.csv("deals.csv", rows)
    else:
        extracts.jsonl("deals.jsonl", rows)
    (outcome,) = extracts.land()
    assert outcome.status == "landed"
    assert outcome.rows_in_file == len(rows)
    assert outcome.rows_in_file == outcome.rows_landed + outcome.rows_set_aside + outcome.rows_repeated
    given = {(row["deal_id"], row["deal_name"] or None) for row in rows}
    if format == "jsonl":
        given |= {(row["deal_id"], row["deal_name"]) for row in rows}
    assert set(extracts.query("select deal_id, deal_name from raw_generic.deals")) <= given
