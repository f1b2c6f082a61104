"""python -m examples.planted_defects FROM: land the extract in the folder FROM, and say where each defect went."""

import shutil
import tempfile
from pathlib import Path

import click
import duckdb

from orchestration.defs.landing.contract import load_contracts
from orchestration.defs.landing.land import land, open_warehouse
from orchestration.settings import Settings

CONTRACT = Path(__file__).with_name("contract")
DAY = "2026-06-30"

# Each query lists what became of one kind of defect, a line each. A fact that is odd but may be true lands: raw keeps
# what the CRM says, and the models and their tests judge it. What cannot be true of one row at once is set aside.
DEFECTS = {
    "one deal twice, with different values": """
        select
            raw_text ->> '/deal_id' || ' of ' || (raw_text ->> '/expected_amount') || ' set aside: ' || reason
            || '; landed: ' || expected_amount
        from landing.rejects inner join deals on raw_text ->> '/deal_id' = deal_id
        where rejects.entity = 'deals'
    """,
    "one event twice, word for word": """
        select entity || ': ' || rows_repeated || ' dropped as a repeat'
        from landing.files where rows_repeated > 0
    """,
    "a time in another format": """
        select deal_id || ' created at ' || created_at || ' UTC' from deals
        where deal_id in (select deal_id from as_written where created_at not like '____-%')
    """,
    "a day in another format": """
        select payment_id || ' paid on ' || payment_date from payments
        where payment_id in (select payment_id from paid_as_written where payment_date not like '____-__-__')
    """,
    "a deal that is not there": """
        select 'landed, no such deal: ' || found_in || ' of ' || deal_id
        from (
            select 'activity' as found_in, deal_id from activities
            union all select 'payment', deal_id from payments
            union all select 'stage change', deal_id from stage_history
        ) where deal_id not in (select deal_id from deals)
    """,
    "a company that is not there": """
        select 'landed, no such company: contact ' || contact_id || ' of ' || company_id
        from contacts where company_id not in (select company_id from companies)
    """,
    "a stage that no pipeline has": """
        select 'landed, no such stage: ' || deal_id || ' in ' || stage_id
        from deals where stage_id not in (select stage_id from pipeline_stages)
    """,
    "one channel in several spellings": """
        select 'landed as written: ' || string_agg(distinct source, ', ' order by source)
        from deals where lower(source) in ('avito', 'авито') having count(distinct source) > 1
    """,
    "a negative amount": """
        select 'landed: deal ' || deal_id || ' of ' || expected_amount from deals where expected_amount < 0
        union all
        select 'landed: payment ' || payment_id || ' of ' || amount from payments where amount < 0
    """,
    "an amount without currency": """
        select 'landed, currency null: ' || deal_id from deals where expected_amount is not null and currency is null
    """,
    "a deal won without a closing time": """
        select 'landed, closed_at null: ' || deal_id
        from deals inner join pipeline_stages using (stage_id) where is_success and closed_at is null
    """,
    "a company or a user without a name": """
        select 'landed, name null: company ' || company_id from companies where name is null
        union all
        select 'landed, manager null: deal ' || deal_id from deals where manager_id is null
    """,
    "stage history for few deals": """
        select count(distinct deal_id) || ' of ' || (select count(*) from deals) || ' deals have a history'
        from stage_history where deal_id in (select deal_id from deals)
    """,
}


def outcomes(source: Path) -> dict[str, list[str]]:
    """Land the files of `source` in a warehouse of their own; defect: what became of it, a line each."""
    contracts = load_contracts(CONTRACT)
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(Path(folder))
        target = settings.extracts / "planted" / DAY
        target.mkdir(parents=True)
        for table in contracts:
            shutil.copy(source / f"{table.name}.csv", target)
        with open_warehouse(settings) as con:
            for outcome in land(con, settings, contracts):
                if outcome.status != "landed":
                    raise click.ClickException(f"{outcome.file.name}: {outcome.reason}")
            con.execute("set search_path = 'main,raw_planted,landing'")
            for name, entity in (("as_written", "deals"), ("paid_as_written", "payments")):
                path = str(target / f"{entity}.csv").replace("'", "''")
                con.execute(f"create temp view {name} as from read_csv('{path}', all_varchar = true)")
            return {defect: _lines(con, query) for defect, query in DEFECTS.items()}


def _lines(con: duckdb.DuckDBPyConnection, query: str) -> list[str]:
    return sorted(line for (line,) in con.execute(query).fetchall())


@click.command()
@click.argument("source", metavar="FROM", type=click.Path(exists=True, file_okay=False, path_type=Path))
def main(source: Path) -> None:
    """Land the extract with planted defects that lies in FROM; print each defect and what became of it."""
    for defect, lines in outcomes(source).items():
        click.echo(defect)
        for line in lines or ["not in these files"]:
            click.echo(f"    {line}")


if __name__ == "__main__":
    main()
