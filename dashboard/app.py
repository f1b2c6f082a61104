"""The dashboard: filters and navigation around the page that is open. Started by `inflight dashboard`."""

import hmac
import os
import sys
import time
from html import escape
from pathlib import Path

import duckdb
import streamlit as st

# Streamlit runs this file by itself, with its own folder on the path.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from dashboard import filters, ui
from dashboard.published import NotPublished, Published
from dashboard.serve import PASSWORD, listens_beyond_this_machine
from dashboard.words import clock, number, t
from orchestration.settings import Settings

PAGES = {
    "today": ("Today", ":material/today:"),
    "funnel": ("Funnel", ":material/filter_alt:"),
    "deals": ("Deals", ":material/handshake:"),
    "losses": ("Losses", ":material/trending_down:"),
    "team": ("Team", ":material/groups:"),
    "indicators": ("Indicators", ":material/speed:"),
    "segments": ("Segments and channels", ":material/donut_small:"),
    "data": ("Data", ":material/database:"),
}


def main() -> None:
    st.set_page_config(page_title="Inflight", page_icon=str(Path(__file__).with_name("icon.svg")), layout="wide")
    filters.read_address()
    st.html(ui.STYLE)
    st.logo(str(Path(__file__).with_name("logo.svg")), size="large")
    # not in a folder called pages: Streamlit would run what lies there by itself
    folder = Path(__file__).parent / "views"
    pages = {
        name: st.Page(folder / f"{name}.py", title=t(words), icon=icon, url_path=name, default=name == "today")
        for name, (words, icon) in PAGES.items()
    }
    st.session_state["_pages"] = pages
    page = st.navigation(list(pages.values()), position="hidden")
    if not _may_read():
        return
    try:
        published = Published.find(Settings.from_env().published_database)
    except NotPublished as error:
        _nothing_published(str(error))
        return
    with published:
        with st.sidebar:
            # links of our own: they carry the filters, so that the way back through the browser is a step a page
            for each in pages.values():
                st.page_link(each, query_params=filters.address())
            st.divider()
            st.session_state["_filters"] = filters.choose(published)
            _what_is_shown(published)
        st.session_state["_published"] = published
        try:
            page.run()
        except (duckdb.BinderException, duckdb.CatalogException) as error:
            why = str(error).splitlines()[0]
            ui.nothing(t("This publication was made by another version: {why}", why=why))
        except NotPublished as error:
            _nothing_published(str(error))


def _may_read() -> bool:
    """Whether this reader may: on this machine alone everybody, elsewhere whoever knows the password."""
    password = os.environ.get(PASSWORD, "")
    if not password:
        if listens_beyond_this_machine(st.get_option("server.address")):
            ui.headline("Inflight", t("Not without a password"), bad=True)
            ui.nothing(
                t("This server can be reached from other machines. Set {name}, or listen on 127.0.0.1.", name=PASSWORD)
            )
            return False
        return True
    if st.session_state.get("_may_read"):
        return True
    ui.headline("Inflight", t("The password, please"))
    with st.form("password", border=False):
        said = st.text_input(t("Password"), type="password", autocomplete="current-password")
        if st.form_submit_button(t("Open"), type="primary"):
            if hmac.compare_digest(said.encode(), password.encode()):
                st.session_state["_may_read"] = True
                st.rerun()
            time.sleep(1)
            st.error(t("That is not it."))
    return False


def _nothing_published(why: str) -> None:
    text = t("Nothing is published yet") if why == "nothing" else t("What is published cannot be read")
    ui.headline("Inflight", text, bad=why != "nothing")
    ui.nothing(
        t("Run make nightly; this page shows what it publishes.")
        if why == "nothing"
        else t("The published file cannot be read: {why}", why=why)
    )


def _what_is_shown(published: Published) -> None:
    lines = (
        t("Figures as of {as_of}", as_of=clock(published.as_of)),
        t("Published {at}", at=clock(published.published_at)),
        t("{n} checks passed", n=number(published.checks_passed)),
    )
    # not st.caption, which is fainter than can be read
    st.html(f'<p class="if-shown">{"<br>".join(map(escape, lines))}</p>')


main()
