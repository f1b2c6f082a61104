"""The APIs of five CRMs, small and on this machine: answers in each one's shape, and faults on demand."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

SECRET = "s3cr3t-t0ken"
PAGE = 2


@dataclass(frozen=True)
class Call:
    path: str
    query: dict[str, str]
    body: dict[str, Any]
    headers: dict[str, str]


Answer = tuple[int, Any]


@dataclass
class FakeApi:
    """Serves `answer`; `faults` says what goes wrong at the n-th request from now: a status, "cut" or "cut unseen"."""

    answer: Callable[[Call], Answer]
    faults: dict[int, int | str] = field(default_factory=dict)
    retry_after: str | None = None
    calls: list[Call] = field(default_factory=list)

    def __enter__(self) -> "FakeApi":
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # an answer is one packet

            def do_GET(self) -> None:
                api.serve(self)

            do_POST = do_GET

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *args: Any) -> None:
        self.server.shutdown()
        self.server.server_close()

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        raw = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        is_json = "json" in (handler.headers.get("Content-Type") or "")
        body = json.loads(raw) if raw and is_json else dict(parse_qsl(raw.decode()))
        call = Call(parts.path, dict(parse_qsl(parts.query)), body, dict(handler.headers))
        fault = self.faults.get(len(self.calls))
        self.calls.append(call)
        status, answer = (fault, {"error": f"on {SECRET}"}) if isinstance(fault, int) else self.answer(call)
        data = b"" if status == 204 else json.dumps(answer, ensure_ascii=False).encode()
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        if status == 302:
            handler.send_header("Location", answer["location"])
        if isinstance(fault, int) and self.retry_after:
            handler.send_header("Retry-After", self.retry_after)
        if fault == "cut unseen":
            handler.send_header("Connection", "close")  # the end of the connection is the end of the body
        else:
            handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data[: len(data) // 2] if fault in ("cut", "cut unseen") else data)
        if fault in ("cut", "cut unseen"):
            handler.close_connection = True


def amocrm(call: Call) -> Answer:
    """Rows of the answer at 2026-03-02: five deals, of which two changed since the 1st."""
    if call.headers.get("Authorization") != f"Bearer {SECRET}":
        return 401, {"title": "Unauthorized", "status": 401, "detail": "Token has expired"}
    name = call.path.removeprefix("/api/v4/")
    if name == "account":
        return 200, {"id": 1, "_embedded": {"task_types": [{"id": 1, "name": "Call"}, {"id": 2, "name": "Meeting"}]}}
    if name == "leads/pipelines":
        statuses = [{"id": 1, "name": "New", "sort": 10}, {"id": 142, "name": "Won", "sort": 10000}]
        pipelines = [{"id": 10, "name": "Sales", "sort": 1, "_embedded": {"statuses": statuses}}]
        return 200, {"_total_items": 1, "_embedded": {"pipelines": pipelines}}
    stamped = {"created_at": 1767258000, "updated_at": 1767258000}
    rows = {
        "leads": [
            {"id": 100 + n, "name": f"Deal {n}", "pipeline_id": 10, "status_id": 1, "price": n, **stamped}
            | ({"updated_at": 1772442000} if n > 3 else {})
            for n in range(1, 6)
        ],
        "leads/loss_reasons": [{"id": 7, "name": "Too dear"}],
        "users": [{"id": 8, "name": "Анна", "rights": {"is_active": True}}],
        "companies": [{"id": 300 + n, "name": f"Company {n}", **stamped} for n in range(3)],
        "contacts": [],
        "tasks": [{"id": 9, "entity_type": "leads", "entity_id": 101, "complete_till": 1767258000, **stamped}],
        "events": [
            {
                "id": f"e{n}",
                "type": "lead_added",
                "entity_type": "lead",
                "entity_id": 100 + n,
                "created_at": 1767258000,
                "value_before": [],
                "value_after": [],
            }
            for n in range(1, 6)
        ],
    }[name]
    if call.query.get("with") == "only_deleted":
        rows = [{"id": 105, "is_deleted": True, "updated_at": 1772442000}]
    changed = "created_at" if name == "events" else "updated_at"
    since = int(call.query.get(f"filter[{changed}][from]", 0))
    rows = [row for row in rows if row.get(changed, 0) >= since]
    page = int(call.query["page"])
    found = rows[PAGE * (page - 1) : PAGE * page]
    if not found:
        return 204, None
    links = {"self": {"href": "…"}} | ({"next": {"href": "…"}} if len(rows) > PAGE * page else {})
    return 200, {"_page": page, "_links": links, "_embedded": {name.split("/")[-1]: found}}


def bitrix24(call: Call) -> Answer:
    """Lists by id; a list without rows is [] even where others have an object."""
    if f"/{SECRET}/" not in call.path:
        return 401, {"error": "expired_token", "error_description": "The access token provided has expired."}
    method = call.path.split("/")[-1]
    at = "2026-01-01T12:00:00+03:00"
    rows = {
        "department.get": [{"ID": "1", "NAME": "Sales", "UF_HEAD": "7"}],
        "user.get": [{"ID": str(n), "NAME": "Anna", "ACTIVE": True, "UF_DEPARTMENT": [1]} for n in range(1, 6)],
        "crm.category.list": [{"id": 0, "name": "Sales"}],
        "crm.status.list": [
            {"ENTITY_ID": "DEAL_STAGE", "STATUS_ID": status, "NAME": status, "SORT": str(n), "SEMANTICS": None}
            for n, status in enumerate(["NEW", "WON", "LOSE"])
        ],
        "crm.company.list": [],
        "crm.contact.list": [],
        "crm.deal.list": [
            {"ID": str(n), "STAGE_ID": "NEW", "CATEGORY_ID": "0", "OPPORTUNITY": "1.00", "DATE_CREATE": at}
            | {"DATE_MODIFY": "2026-03-02T12:00:00+03:00" if n > 9 else at}
            for n in range(8, 12)
        ],
        "crm.activity.list": [
            {"ID": "1", "TYPE_ID": "2", "OWNER_TYPE_ID": "2", "OWNER_ID": "8", "COMPLETED": "Y", "CREATED": at}
            | {"LAST_UPDATED": at, "DEADLINE": "9999-12-31T00:00:00+03:00"}
        ],
        "tasks.task.list": [
            {"id": str(n), "status": "2", "createdDate": at, "CHANGED_DATE": at, "ufCrmTask": ["D_8"]}
            for n in range(1, 4)
        ],
        "crm.stagehistory.list": [
            {"ID": str(n), "OWNER_ID": "8", "STAGE_ID": "NEW", "CREATED_TIME": at} for n in range(1, 4)
        ],
    }[method]
    total = len(rows)
    more: dict[str, Any] = {}
    if "filter" in call.body:
        after = int(call.body["filter"].get(">ID", 0))
        rows = [row for row in rows if int(row.get("ID") or row["id"]) > after and _changed(row, call.body["filter"])]
        rows = rows[:PAGE]
    else:
        start = int(call.body.get("start", 0))
        rows = rows[start : start + PAGE]
        more = {"next": start + PAGE} if total > start + PAGE else {}
    place = {"crm.category.list": "categories", "tasks.task.list": "tasks", "crm.stagehistory.list": "items"}.get(
        method
    )
    result = {place: rows} if place and rows else rows
    return 200, {"result": result, **more, "total": total, "time": {"operating": 0}}


def _changed(row: dict[str, Any], filters: dict[str, str]) -> bool:
    since = next(((name[2:], value) for name, value in filters.items() if name.startswith(">=")), None)
    if since is None:
        return True
    return datetime.fromisoformat(row[since[0]]) >= datetime.fromisoformat(since[1])


def hubspot(call: Call) -> Answer:
    """Lists by cursor; a search shows ids and the time of change alone."""
    if call.headers.get("Authorization") != f"Bearer {SECRET}":
        return 401, {"status": "error", "category": "EXPIRED_AUTHENTICATION"}
    if call.path == "/crm/v3/owners":
        return 200, {"results": [{"id": "7", "email": "a@example.com", "teams": []}]}
    if call.path == "/crm/v3/pipelines/deals":
        stage = {
            "id": "new",
            "label": "New",
            "displayOrder": 0,
            "metadata": {"isClosed": "false", "probability": "0.2"},
        }
        return 200, {"results": [{"id": "default", "label": "Sales", "stages": [stage]}]}
    kind, *rest = call.path.removeprefix("/crm/v3/objects/").split("/")
    changed = "lastmodifieddate" if kind == "contacts" else "hs_lastmodifieddate"

    def whole(n: int) -> dict[str, Any]:
        at = "2026-03-02T10:00:00Z" if n > 3 else "2026-01-01T10:00:00.500Z"
        properties = {name: None for name in call.query["properties"].split(",")}
        given = {
            "dealname": f"Deal {n}",
            "pipeline": "default",
            "dealstage": "new",
            "createdate": "2026-01-01T10:00:00Z",
        }
        given |= {"hs_createdate": "2026-01-01T10:00:00Z", "hs_timestamp": "2026-01-01T10:00:00Z"}
        properties |= {name: value for name, value in {**given, changed: at}.items() if name in properties}
        row: dict[str, Any] = {
            "id": str(n),
            "properties": properties,
            "createdAt": "2026-01-01T10:00:00Z",
            "updatedAt": at,
            "archived": False,
            "associations": {"deals": {"results": [{"id": "1", "type": "call_to_deal"}]}},
        }
        if "propertiesWithHistory" in call.query:
            entry = {"value": "new", "timestamp": "2026-01-01T10:00:00Z", "sourceType": "CRM_UI"}
            row["propertiesWithHistory"] = {"dealstage": [entry]}
        return row

    count = 5 if kind == "deals" else 1
    if rest == ["search"]:
        since = int(call.body["filterGroups"][0]["filters"][0]["value"]) / 1000
        found = [
            {"id": str(n), "properties": {changed: at, "hs_object_id": str(n)}}
            for n in range(1, count + 1)
            if datetime.fromisoformat(
                at := "2026-03-02T10:00:00+00:00" if n > 3 else "2026-01-01T10:00:00+00:00"
            ).timestamp()
            >= since
        ]
        after = int(call.body.get("after", 0))
    elif rest:
        return 200, whole(int(rest[0]))
    else:
        found = [whole(n) for n in range(1, count + 1)]
        after = int(call.query.get("after", 0))
    paging = {"paging": {"next": {"after": str(after + PAGE)}}} if len(found) > after + PAGE else {}
    return 200, {"results": found[after : after + PAGE], **paging}


def pipedrive(call: Call) -> Answer:
    """Version 2 with cursors, and version 1 for the log of one deal."""
    if call.headers.get("x-api-token") != SECRET:
        return 401, {"success": False, "error": "unauthorized access"}
    if call.path == "/api/v1/users":
        return 200, {"success": True, "data": [{"id": 7, "name": "Anna", "active_flag": True}]}
    if call.path.endswith("/flow"):
        deal, start = int(call.path.split("/")[4]), int(call.query["start"])
        rows = [
            {
                "object": "dealChange",
                "timestamp": "2026-01-02 10:00:00",
                "data": {
                    "id": 10 * deal + n,
                    "item_id": deal,
                    "field_key": "stage_id",
                    "old_value": str(n),
                    "new_value": str(n + 1),
                    "log_time": f"2026-01-0{n + 2} 10:00:00",
                    "user_id": 7,
                    "is_bulk_update_flag": None,
                },
            }
            for n in range(3)
        ]
        more = len(rows) > start + PAGE
        pagination = {"start": start, "limit": PAGE, "more_items_in_collection": more}
        pagination |= {"next_start": start + PAGE} if more else {}
        return 200, {"success": True, "data": rows[start : start + PAGE], "additional_data": {"pagination": pagination}}
    name = call.path.removeprefix("/api/v2/")
    rows = {
        "deals": [
            {
                "id": n,
                "title": f"Deal {n}",
                "stage_id": 1,
                "pipeline_id": 1,
                "status": "open",
                "value": n,
                "currency": "EUR",
            }
            | {
                "add_time": "2026-01-01T10:00:00Z",
                "update_time": "2026-03-02T10:00:00Z" if n > 3 else "2026-01-01T10:00:00Z",
            }
            for n in range(1, 6)
        ],
        "activities": [
            {"id": 1, "deal_id": 1, "type": "call", "done": False, "add_time": "2026-01-01T10:00:00Z"}
            | {"due_date": "2026-01-05", "due_time": "10:00", "update_time": "2026-01-01T10:00:00Z"}
        ],
        "stages": [{"id": 1, "pipeline_id": 1, "name": "New", "order_nr": 1, "deal_probability": 20}],
        "pipelines": [{"id": 1, "name": "Sales"}],
        "organizations": [],
        "persons": [],
    }[name]
    since = call.query.get("updated_since")
    rows = [row for row in rows if not since or row["update_time"] >= since]
    start = int(call.query.get("cursor", 0))
    cursor = str(start + PAGE) if len(rows) > start + PAGE else None
    return 200, {"success": True, "data": rows[start : start + PAGE], "additional_data": {"next_cursor": cursor}}


def salesforce(call: Call) -> Answer:
    """Queries of the fields that an object says it has; the rest of a result at an address of its own."""
    if call.path == "/services/oauth2/token":
        return 200, {"access_token": SECRET, "token_type": "Bearer"}
    if call.headers.get("Authorization") != f"Bearer {SECRET}":
        return 401, [{"errorCode": "INVALID_SESSION_ID", "message": "Session expired or invalid"}]
    base = "/services/data/v61.0"
    if call.path.endswith("/describe"):
        names = ["Id", "Name", "StageName", "MasterLabel", "SortOrder", "CreatedDate", "CloseDate", "OpportunityId"]
        names += ["ContactId", "Field", "IsClosed", "IsWon", "SystemModstamp", "Rival__c"]
        if "UserRole" in call.path:
            return 404, [{"errorCode": "NOT_FOUND"}]
        return 200, {
            "fields": [{"name": name, "type": "string"} for name in names] + [{"name": "A", "type": "address"}]
        }
    if call.path.startswith(f"{base}/query/"):
        sobject, start = call.path.split("/")[-1].split("-")
        since = ""
    else:
        query = call.query["q"]
        assert "Rival__c" in query and ", A " not in query
        sobject, _, since = query.split(" from ")[1].partition(" where SystemModstamp >= ")
        start = "0"
    rows = [
        {
            "attributes": {"type": sobject},
            "Id": f"{sobject[:3]}{n:015d}",
            "Name": f"{sobject} {n}",
            "MasterLabel": f"Stage {n}",
            "SortOrder": n,
            "StageName": "New",
            "OpportunityId": f"Opp{n:015d}",
            "ContactId": f"003{n:015d}",
            "Field": "StageName",
            "IsClosed": False,
            "IsWon": False,
            "CreatedDate": "2026-01-01T10:00:00.000+0000",
            "SystemModstamp": "2026-03-02T10:00:00Z" if n > 3 else "2026-01-01T10:00:00Z",
        }
        for n in range(1, 6)
    ]
    rows = [row for row in rows if row["SystemModstamp"] >= since]
    done = len(rows) <= int(start) + PAGE
    more = {} if done else {"nextRecordsUrl": f"{base}/query/{sobject}-{int(start) + PAGE}"}
    return 200, {"totalSize": len(rows), "done": done, "records": rows[int(start) : int(start) + PAGE], **more}


FAKES: dict[str, Callable[[Call], Answer]] = {
    "amocrm": amocrm,
    "bitrix24": bitrix24,
    "hubspot": hubspot,
    "pipedrive": pipedrive,
    "salesforce": salesforce,
}


def environment(crm: str, url: str, secret: str = SECRET) -> dict[str, str]:
    """The variables that a pull of `crm` from `url` reads."""
    prefix = f"INFLIGHT_{crm.upper()}"
    if crm == "bitrix24":
        return {f"{prefix}_WEBHOOK": f"{url}/rest/1/{secret}/"}
    return {f"{prefix}_URL": url, f"{prefix}_TOKEN": secret}
