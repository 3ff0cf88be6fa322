"""Below the path of PUBLIC_URL: every path in an answer begins with it, whether or not the proxy strips it."""

import re
import time

import pytest

from api.app import app_of_routes, create_app
from errand.errors import SettingsRefused
from errand.settings import Settings
from tests.support.api import SilentRelay
from tests.support.view import path_of

PATH = "/apps/errand"
PUBLIC = f"https://example.org{PATH}"
SUM = {"operation": "sum", "value": 30, "other": 10}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"public_url": PUBLIC})


@pytest.fixture(params=["", PATH], ids=["stripped", "kept"])
def root(request) -> str:
    """The path as it arrives from the proxy: without the public path, or with it."""
    return request.param


def test_a_job_is_accepted_and_its_links_can_be_followed(client, root):
    accepted = client.post(f"{root}/compute", json=SUM)

    location = accepted.headers["Location"]
    assert location == f"{PATH}/jobs/{accepted.json['id']}"
    assert accepted.json["links"] == {"self": location, "events": f"{location}/events"}
    assert client.get(location).json["links"] == {**accepted.json["links"], "log": f"{location}/log"}
    assert client.get(f"{location}/log").status_code == 200


def test_the_list_the_schedules_and_the_replays_link_below_the_path(client, root, api_store):
    job = {"operation": "add", "arguments": {"value": 1, "other": 2}}
    job_id = client.post(f"{root}/jobs", json=job).json["id"]
    cancelled = client.post(f"{root}/jobs/{job_id}/cancel").json
    replayed = client.post(f"{root}/jobs/{job_id}/retry", json={"arguments": job["arguments"]})
    again = client.post(f"{root}/jobs/{job_id}/retry")

    schedule = client.put(f"{root}/schedules/early", json={"cron": "0 6 * * *", **job}).json

    assert cancelled["links"]["self"] == again.headers["Location"] == f"{PATH}/jobs/{job_id}"
    assert replayed.headers["Location"] == f"{PATH}/jobs/{replayed.json['id']}"
    assert client.get(replayed.headers["Location"]).json["links"]["origin"] == f"{PATH}/jobs/{job_id}"
    for row in client.get(f"{root}/jobs").json["jobs"]:
        assert row["links"]["self"] == f"{PATH}/jobs/{row['id']}"
    assert schedule["links"] == {"self": f"{PATH}/schedules/early", "jobs": f"{PATH}/jobs?tag=schedule:early"}
    for path in schedule["links"].values():
        assert client.get(path).status_code == 200


@pytest.mark.parametrize("page", ["/apidocs", "/apidocs/", "/mailbox", "/mailbox/"])
def test_a_page_names_only_addresses_below_the_path(settings, api_store, root, page, tmp_path):
    shown = settings.model_copy(update={"mailbox": str(tmp_path)})
    client = create_app(shown, api_store, SilentRelay()).test_client()

    html = client.get(root + page).text

    addresses = re.findall(r'(?:href|src|data-root)="(/[^"]*)"', html)
    assert len(addresses) >= 4
    assert [address for address in addresses if not address.startswith(PATH)] == []
    for address in addresses:
        assert client.get(address, follow_redirects=True).status_code == 200


def test_the_page_of_a_job_names_only_addresses_below_the_path(client, root, links):
    job_id = client.post(f"{root}/compute", json=SUM).json["id"]
    link = path_of(links.job(job_id, int(time.time()) + 60))

    html = client.get(root + link, headers={"Accept": "text/html"}).text

    addresses = re.findall(r'(?:href|src|data-events)="(/[^"]*)"', html)
    assert f"{PATH}{link}/events" in addresses
    assert [address for address in addresses if not address.startswith(PATH)] == []


def test_the_front_door_leads_to_the_documentation(client, root):
    assert client.get(f"{root}/").headers["Location"] == f"{PATH}/apidocs"
    assert client.get(f"{PATH}").headers["Location"] == f"{PATH}/apidocs"


def test_the_document_names_the_public_url(client, root):
    servers = client.get(f"{root}/apispec.json").json["servers"]

    assert servers == [{"url": PUBLIC}]


def test_the_same_document_is_not_written_anew(client, root):
    first = client.get(f"{root}/apispec.json")

    again = client.get(f"{root}/apispec.json", headers={"If-None-Match": first.headers["ETag"]})

    assert again.status_code == 304


@pytest.mark.parametrize(
    "path", ["/apps", "/apps/erran", "/apps/errand2/healthz", "/errand/healthz", f"{PATH}{PATH}/jobs"]
)
def test_a_path_that_only_resembles_the_public_one_leads_nowhere(client, path):
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("path", ["/jobs", "/jobs/", "/static/errand", "/events", "/apidocs", "/view", "/healthz/x"])
def test_a_public_path_that_begins_as_a_route_is_refused(settings, path):
    public = settings.model_copy(update={"public_url": f"https://example.org{path.rstrip('/')}"})

    with pytest.raises(SettingsRefused, match=r"^PUBLIC_URL: the API has paths of its own that begin with /"):
        app_of_routes(public)


def test_without_a_path_answers_are_as_they_were(settings, api_store):
    plain = settings.model_copy(update={"public_url": ""})
    client = create_app(plain, api_store, SilentRelay()).test_client()

    accepted = client.post("/compute", json=SUM)

    assert accepted.headers["Location"] == f"/jobs/{accepted.json['id']}"
    assert client.get(f"{PATH}/healthz").status_code == 404
