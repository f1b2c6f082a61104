"""What each CRM's API has, and how one page leads to the next. The answers themselves are left as they come."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from orchestration.pull.client import Client, PullError, Request, answer_of

Next = Callable[[Request, Any], Request | None]


@dataclass(frozen=True)
class Resource:
    """One extract file. `first` asks for all, or for what changed since a time (naive UTC) where it can."""

    name: str
    first: Callable[[Client, datetime | None], Request]
    next: Next
    is_incremental: bool = False
    is_optional: bool = False  # not every token, or every edition of the CRM, gives it
    # what is read of each object on a page, in the place of the page
    details: Callable[[Request, Any], Iterable[Request]] = lambda request, answer: ()
    next_detail: Next = lambda request, answer: None
    wrap: Callable[[Any], Any] = lambda answer: answer  # a detail as the page that landing reads


@dataclass(frozen=True)
class Api:
    """How to reach a CRM, from the environment; and its resources in the order in which they are read."""

    crm: str
    connect: Callable[[Mapping[str, str]], Client]
    resources: tuple[Resource, ...]


# -- what the APIs share


def _env(env: Mapping[str, str], name: str, default: str | None = None) -> str:
    value = env.get(name, "").strip() or default
    if value is None:
        raise PullError(f"the environment variable {name} is not set")
    return value


def _at(answer: Any, *keys: str) -> Any:
    """The value at a path of keys. APIs written in PHP give [] for an empty object."""
    for key in keys:
        answer = answer.get(key) if isinstance(answer, dict) else None
    return answer


def _iso(at: datetime) -> str:
    return at.replace(tzinfo=UTC).isoformat(timespec="seconds")


def _all_of(path: str, **params: Any) -> Callable[[Client, datetime | None], Request]:
    return lambda client, since: Request(path, params)


def _no_more(request: Request, answer: Any) -> None:
    return None


def _cursor(parameter: str, *keys: str) -> Next:
    """The answer holds a cursor, which the next request hands back."""

    def follow(request: Request, answer: Any) -> Request | None:
        cursor = _at(answer, *keys)
        if cursor is None or cursor == "":
            return None
        if request.body is not None:
            return replace(request, body={**request.body, parameter: cursor})
        return replace(request, params={**request.params, parameter: cursor})

    return follow


# -- amoCRM and Kommo: pages by number, while the answer links to a next one


def _amocrm_client(env: Mapping[str, str]) -> Client:
    token = _env(env, "INFLIGHT_AMOCRM_TOKEN")
    return Client(
        crm="amocrm",
        url=_env(env, "INFLIGHT_AMOCRM_URL"),
        headers={"Authorization": f"Bearer {token}"},
        interval=0.15,  # seven requests a second are allowed
        token_name="INFLIGHT_AMOCRM_TOKEN",
    )


def _amocrm_next(request: Request, answer: Any) -> Request | None:
    if not _at(answer, "_links", "next", "href"):
        return None
    return replace(request, params={**request.params, "page": int(request.params.get("page", 1)) + 1})


def _amocrm(name: str, path: str, changed: str | None = None, limit: int | None = 250, **params: Any) -> Resource:
    """Sorted by id where the API can: objects that change while pages are read do not shift the others."""

    def first(client: Client, since: datetime | None) -> Request:
        paging = {"page": 1, "limit": limit} if limit else {}
        if changed == "updated_at":
            paging["order[id]"] = "asc"
        if changed and since:
            paging[f"filter[{changed}][from]"] = int(since.replace(tzinfo=UTC).timestamp())
        return Request(f"/api/v4/{path}", {**params, **paging})

    return Resource(name, first, _amocrm_next, is_incremental=bool(changed))


AMOCRM = Api(
    "amocrm",
    _amocrm_client,
    (
        _amocrm("users", "users", **{"with": "group"}),
        _amocrm("pipelines", "leads/pipelines", limit=None),
        replace(_amocrm("loss_reasons", "leads/loss_reasons"), is_optional=True),
        _amocrm("task_types", "account", limit=None, **{"with": "task_types"}),
        _amocrm("companies", "companies", changed="updated_at"),
        _amocrm("contacts", "contacts", changed="updated_at"),
        _amocrm("leads", "leads", changed="updated_at", **{"with": "contacts,loss_reason,source"}),
        _amocrm("leads_deleted", "leads", **{"with": "only_deleted"}),
        _amocrm("tasks", "tasks", changed="updated_at"),
        # last: no move is missed of a deal that was read
        _amocrm("events", "events", changed="created_at", limit=100),
    ),
)


# -- Bitrix24: lists by id, each page those after the last id of the page before, without the cost of counting


def _bitrix24_client(env: Mapping[str, str]) -> Client:
    return Client(
        crm="bitrix24",
        url=_env(env, "INFLIGHT_BITRIX24_WEBHOOK"),  # https://<portal>/rest/<user>/<secret>/
        headers={},
        interval=0.5,  # two requests a second are allowed
        token_name="INFLIGHT_BITRIX24_WEBHOOK",
    )


def _bitrix24_list(
    name: str, method: str, changed: str, key: str = "ID", at: tuple[str, ...] = (), select=("*", "UF_*"), **body: Any
) -> Resource:
    def first(client: Client, since: datetime | None) -> Request:
        filters = {f">={changed}": _iso(since)} if since else {}
        order = {"ID": "ASC"}
        return Request(method, body={"order": order, "filter": filters, "select": list(select), "start": -1, **body})

    def follow(request: Request, answer: Any) -> Request | None:
        rows = _at(answer, "result", *at)
        if not rows:
            return None
        filters = {**request.body["filter"], ">ID": rows[-1][key]}
        return replace(request, body={**request.body, "filter": filters})

    return Resource(name, first, follow, is_incremental=True)


def _bitrix24_pages(name: str, method: str, **body: Any) -> Resource:
    return Resource(name, lambda client, since: Request(method, body=body), _cursor("start", "next"))


BITRIX24 = Api(
    "bitrix24",
    _bitrix24_client,
    (
        _bitrix24_pages("departments", "department.get"),
        _bitrix24_pages("users", "user.get"),
        _bitrix24_pages("categories", "crm.category.list", entityTypeId=2),
        _bitrix24_pages("statuses", "crm.status.list"),
        _bitrix24_list("companies", "crm.company.list", "DATE_MODIFY"),
        _bitrix24_list("contacts", "crm.contact.list", "DATE_MODIFY"),
        _bitrix24_list("deals", "crm.deal.list", "DATE_MODIFY"),
        _bitrix24_list("activities", "crm.activity.list", "LAST_UPDATED", select=("*",)),
        replace(
            _bitrix24_list(
                "tasks", "tasks.task.list", "CHANGED_DATE", key="id", at=("tasks",), select=("*", "UF_CRM_TASK")
            ),
            is_optional=True,
        ),
        _bitrix24_list(
            "stage_history", "crm.stagehistory.list", "CREATED_TIME", at=("items",), select=("*",), entityTypeId=2
        ),
    ),
)


# -- HubSpot: lists by cursor. Only a search knows what changed, and it gives neither histories nor associations: what
#    it finds is read one by one.

HUBSPOT_SEARCH_LIMIT = 10_000  # a search gives no more; the next one begins at the last change found
HUBSPOT_DEAL = (
    "dealname,pipeline,dealstage,hubspot_owner_id,amount,deal_currency_code,closedate,createdate,hs_lastmodifieddate,"
    "closed_lost_reason,hs_analytics_source,hs_is_closed,hs_is_closed_won,hs_primary_associated_company"
)
HUBSPOT_HISTORY = "dealstage,amount,closedate,hubspot_owner_id"
HUBSPOT_COMPANY = "name,domain,industry,country,numberofemployees,annualrevenue,hs_lastmodifieddate"
HUBSPOT_CONTACT = "associatedcompanyid,jobtitle,hs_buying_role,lastmodifieddate"
HUBSPOT_ENGAGEMENTS = {
    "calls": "hs_call_direction,hs_call_disposition",
    "emails": "hs_email_direction",
    "meetings": "hs_meeting_outcome,hs_meeting_start_time",
    "notes": "hs_note_body",
    "tasks": "hs_task_type,hs_task_status,hs_task_completion_date",
}


def _hubspot_client(env: Mapping[str, str]) -> Client:
    token = _env(env, "INFLIGHT_HUBSPOT_TOKEN")
    return Client(
        crm="hubspot",
        url=_env(env, "INFLIGHT_HUBSPOT_URL", "https://api.hubapi.com"),
        headers={"Authorization": f"Bearer {token}"},
        interval=0.25,  # a search allows four requests a second
        token_name="INFLIGHT_HUBSPOT_TOKEN",
    )


def _hubspot(name: str, kind: str, changed: str = "hs_lastmodifieddate", **params: str) -> Resource:
    path = f"/crm/v3/objects/{kind}"

    def search(since_ms: int) -> Request:
        changes = {"propertyName": changed, "operator": "GTE", "value": str(since_ms)}
        return Request(
            f"{path}/search",
            body={
                "filterGroups": [{"filters": [changes]}],
                "sorts": [{"propertyName": changed, "direction": "ASCENDING"}],
                "properties": [changed],
                "limit": 100,
            },
        )

    def first(client: Client, since: datetime | None) -> Request:
        if since is None:
            return Request(path, {**params, "limit": 50 if "propertiesWithHistory" in params else 100})
        return search(int(since.replace(tzinfo=UTC).timestamp() * 1000))

    def follow(request: Request, answer: Any) -> Request | None:
        after = _at(answer, "paging", "next", "after")
        if request.body is None or after is None or int(after) < HUBSPOT_SEARCH_LIMIT:
            return _cursor("after", "paging", "next", "after")(request, answer)
        last = datetime.fromisoformat(answer["results"][-1]["properties"][changed].replace("Z", "+00:00"))
        further = search(int(last.timestamp() * 1000))
        if further.body["filterGroups"] == request.body["filterGroups"]:
            raise PullError(f"hubspot: {kind}: more were changed in one moment than a search gives; pull with --full")
        return further

    def details(request: Request, answer: Any) -> Iterable[Request]:
        is_search = request.body is not None
        return [Request(f"{path}/{row['id']}", params) for row in answer["results"]] if is_search else []

    return Resource(
        name, first, follow, is_incremental=True, details=details, wrap=lambda answer: {"results": [answer]}
    )


HUBSPOT = Api(
    "hubspot",
    _hubspot_client,
    (
        Resource("owners", _all_of("/crm/v3/owners", limit=500), _cursor("after", "paging", "next", "after")),
        Resource("deal_pipelines", _all_of("/crm/v3/pipelines/deals"), _no_more),
        _hubspot("companies", "companies", properties=HUBSPOT_COMPANY),
        _hubspot("contacts", "contacts", changed="lastmodifieddate", properties=HUBSPOT_CONTACT),
        _hubspot(
            "deals",
            "deals",
            properties=HUBSPOT_DEAL,
            propertiesWithHistory=HUBSPOT_HISTORY,
            associations="companies,contacts",
        ),
        *(
            replace(
                _hubspot(
                    kind,
                    kind,
                    properties=f"hubspot_owner_id,hs_timestamp,hs_createdate,hs_lastmodifieddate,{more}",
                    associations="deals,contacts",
                ),
                is_optional=True,
            )
            for kind, more in HUBSPOT_ENGAGEMENTS.items()
        ),
    ),
)


# -- Pipedrive: lists by cursor; the log of a deal is read deal by deal


def _pipedrive_client(env: Mapping[str, str]) -> Client:
    return Client(
        crm="pipedrive",
        url=_env(env, "INFLIGHT_PIPEDRIVE_URL", "https://api.pipedrive.com"),
        headers={"x-api-token": _env(env, "INFLIGHT_PIPEDRIVE_TOKEN")},
        interval=0.2,
        token_name="INFLIGHT_PIPEDRIVE_TOKEN",
    )


def _pipedrive(name: str, path: str, can_tell_changes: bool = True, **how: Any) -> Resource:
    def first(client: Client, since: datetime | None) -> Request:
        changed = {"updated_since": since.strftime("%Y-%m-%dT%H:%M:%SZ")} if since and can_tell_changes else {}
        return Request(f"/api/v2/{path}", {"limit": 500, **changed})

    return Resource(
        name, first, _cursor("cursor", "additional_data", "next_cursor"), is_incremental=can_tell_changes, **how
    )


def _pipedrive_offset(request: Request, answer: Any) -> Request | None:
    pagination = _at(answer, "additional_data", "pagination")
    if not _at(pagination, "more_items_in_collection"):
        return None
    return replace(request, params={**request.params, "start": pagination["next_start"]})


PIPEDRIVE = Api(
    "pipedrive",
    _pipedrive_client,
    (
        Resource("users", _all_of("/api/v1/users"), _no_more),
        _pipedrive("pipelines", "pipelines", can_tell_changes=False),
        _pipedrive("stages", "stages", can_tell_changes=False),
        _pipedrive("organizations", "organizations"),
        _pipedrive("persons", "persons"),
        _pipedrive("deals", "deals"),
        _pipedrive("activities", "activities"),
        _pipedrive(
            "deal_flow",
            "deals",
            details=lambda request, answer: [
                Request(f"/api/v1/deals/{deal['id']}/flow", {"start": 0, "limit": 100, "items": "change"})
                for deal in _at(answer, "data") or []
            ],
            next_detail=_pipedrive_offset,
        ),
    ),
)


# -- Salesforce: queries; every field that an object has is asked for, the company's own among them

SALESFORCE_VERSION = "v61.0"


def _salesforce_client(env: Mapping[str, str]) -> Client:
    """A token of a few hours, or the id and secret of a connected app, which give a new one when it is needed."""
    token = env.get("INFLIGHT_SALESFORCE_TOKEN", "").strip()
    app = env.get("INFLIGHT_SALESFORCE_CLIENT_ID", "").strip()
    secret = env.get("INFLIGHT_SALESFORCE_CLIENT_SECRET", "").strip()
    if not token and not (app and secret):
        raise PullError(
            "set INFLIGHT_SALESFORCE_CLIENT_ID and INFLIGHT_SALESFORCE_CLIENT_SECRET, or INFLIGHT_SALESFORCE_TOKEN"
        )
    return Client(
        crm="salesforce",
        url=_env(env, "INFLIGHT_SALESFORCE_URL"),
        headers={"Authorization": f"Bearer {token}"} if token else {},
        interval=0.1,
        token_name="INFLIGHT_SALESFORCE_TOKEN" if token else "INFLIGHT_SALESFORCE_CLIENT_SECRET",
        authorize=partial(_salesforce_token, app=app, secret=secret) if app and secret else None,
    )


def _salesforce_token(client: Client, app: str, secret: str) -> str:
    form = {"grant_type": "client_credentials", "client_id": app, "client_secret": secret}
    response = client.send("/services/oauth2/token", form=form)
    token = _at(answer_of(response), "access_token") if response.ok else None
    if not token:
        raise PullError(f"salesforce: no token for this client id and secret ({response.status_code})")
    return token


def _salesforce(name: str, sobject: str, is_optional: bool = False) -> Resource:
    def first(client: Client, since: datetime | None) -> Request:
        base = f"/services/data/{SALESFORCE_VERSION}"
        described = client.read(Request(f"{base}/sobjects/{sobject}/describe"))
        # addresses and the like are told again by the fields that they are made of
        fields = [field["name"] for field in described["fields"] if field.get("type") not in ("address", "location")]
        changed = next((field for field in ("SystemModstamp", "CreatedDate") if field in fields), None)
        where = f" where {changed} >= {since:%Y-%m-%dT%H:%M:%SZ}" if since and changed else ""
        return Request(f"{base}/queryAll", {"q": f"select {', '.join(fields)} from {sobject}{where}"})

    def follow(request: Request, answer: Any) -> Request | None:
        path = _at(answer, "nextRecordsUrl")
        return Request(path) if path and path.startswith("/") else None

    return Resource(name, first, follow, is_incremental=True, is_optional=is_optional)


SALESFORCE = Api(
    "salesforce",
    _salesforce_client,
    (
        _salesforce("user", "User"),
        _salesforce("user_role", "UserRole", is_optional=True),
        _salesforce("record_type", "RecordType", is_optional=True),
        _salesforce("opportunity_stage", "OpportunityStage"),
        _salesforce("account", "Account"),
        _salesforce("contact", "Contact"),
        _salesforce("opportunity", "Opportunity"),
        _salesforce("opportunity_history", "OpportunityHistory"),
        _salesforce("opportunity_field_history", "OpportunityFieldHistory", is_optional=True),
        _salesforce("opportunity_contact_role", "OpportunityContactRole", is_optional=True),
        _salesforce("task", "Task"),
        _salesforce("event", "Event"),
    ),
)

APIS = {api.crm: api for api in (AMOCRM, BITRIX24, HUBSPOT, PIPEDRIVE, SALESFORCE)}
