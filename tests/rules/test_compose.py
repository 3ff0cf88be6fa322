"""The compose file and the images: healthy before used, hardened, no secret inside, each image with its side only."""

import ast
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from errand.health import HEALTH_FILE
from errand.settings import Settings
from schemas.operations import COMPUTE, WITHOUT_OPERATIONS
from tests.rules.setting_readers import readers
from tests.rules.tree import ROOT, text

COMPOSE = yaml.safe_load(text(ROOT / "docker-compose.yml"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OWN = sorted(name for name, service in SERVICES.items() if "build" in service)
THEIRS = sorted(SERVICES.keys() - set(OWN))

WORKERS = {COMPUTE, *WITHOUT_OPERATIONS}
OTHER_SIDE = {"api": "workers", "workers": "api"}

IMAGE_VARIABLES = {
    "rabbitmq": {"RABBITMQ_DEFAULT_USER", "RABBITMQ_DEFAULT_PASS"},
    "mailpit": {"MP_DATABASE", "MP_MAX_MESSAGES"},
}
"""What the images we don't build read from their environment."""

NOT_IN_A_CONTAINER = {
    "MAILBOX": "mailpit shows the caught mails",
    "WEB_SERVER_ADDRESS": "no service here is a plug-in's",
}
"""Settings that none of our containers is told, and why."""

FIXED = {"AMQP_URI", "REDIS_URL", "HOST", "PORT", HEALTH_FILE}
"""Settings that follow from this file itself: its servers, the ports inside."""

SECRET = re.compile(r"pass|secret|token|://[^/]*@", re.IGNORECASE)
ASKED_FOR = re.compile(r"\$\{[A-Z_]+:\?[^}]+\}")
"""A value that compose refuses to start without, with a sentence that says where to set it."""

MUTABLE_TAGS = {"latest", "stable", "edge", "develop", "main", "management", "alpine", "slim"}


def dockerfile(side: str) -> Path:
    """Give the Dockerfile of one side."""
    return ROOT / "deploy" / f"{side}.Dockerfile"


def instructions(side: str, verb: str) -> list[str]:
    """Give the arguments of a Dockerfile's instructions of one kind, each on one line."""
    lines = text(dockerfile(side)).replace("\\\n", " ").splitlines()
    return [line.removeprefix(verb).strip() for line in lines if line.startswith(f"{verb} ")]


def images() -> list[str]:
    """List every image that is pulled, by compose or to build on."""
    pulled = [SERVICES[name]["image"] for name in THEIRS]
    return pulled + [line.split()[0] for side in OTHER_SIDE for line in instructions(side, "FROM")]


def test_the_services_are_the_parts_of_errand() -> None:
    assert set(SERVICES) == {"rabbitmq", "redis", "mailpit", "api"} | WORKERS


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_tells_whether_it_is_healthy(name: str) -> None:
    check = SERVICES[name]["healthcheck"]

    assert check["test"][0] in {"CMD", "CMD-SHELL"}
    assert check.keys() >= {"interval", "timeout", "retries", "start_period"}


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_waits_until_what_it_needs_is_healthy(name: str) -> None:
    needs = SERVICES[name].get("depends_on", {})

    assert set(needs) <= set(SERVICES)
    assert all(need["condition"] == "service_healthy" for need in needs.values())


def test_the_api_starts_without_a_broker() -> None:
    assert set(SERVICES["api"]["depends_on"]) == {"redis"}


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_hardened_and_bounded(name: str) -> None:
    service = SERVICES[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["init"] is True
    assert service.keys() >= {"mem_limit", "restart", "stop_grace_period"}
    assert name in OWN or service["user"].partition(":")[0] not in {"", "root", "0"}


@pytest.mark.parametrize("name", ["compute", "mail", "webhooks", "rescuer"])
def test_a_worker_has_time_to_hand_its_jobs_back_before_it_is_killed(name: str) -> None:
    period = float(SERVICES[name]["stop_grace_period"].removesuffix("s"))
    settings = Settings.model_construct()

    assert period >= 10 + max(settings.stop_grace, settings.webhook_timeout + 5)


@pytest.mark.parametrize("name", SERVICES)
def test_only_this_machine_can_reach_what_a_service_publishes(name: str) -> None:
    ports = SERVICES[name].get("ports", [])

    assert name in {"api", "mailpit", "rabbitmq"} or not ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_the_api_can_not_reach_a_mail_server_and_the_store_can_not_be_reached_from_outside() -> None:
    networks = {name: set(service["networks"]) for name, service in SERVICES.items()}

    assert networks["api"].isdisjoint(networks["mailpit"])
    assert networks["redis"] == {"back"}
    assert COMPOSE["networks"]["back"]["internal"] is True
    assert networks["compute"] == networks["webhooks"] == {"back", "out"}, "clients may name other hosts"
    assert networks["rescuer"] == {"back"}
    assert {name for name, theirs in networks.items() if "out" in theirs} == {"compute", "webhooks"}


def test_every_password_is_asked_for_and_none_is_written_down() -> None:
    for name, service in SERVICES.items():
        for variable, value in service.get("environment", {}).items():
            handed_on = value is None  # from .env, where somebody else wrote it
            if SECRET.search(f"{variable}={value}") and not handed_on:
                assert ASKED_FOR.search(str(value)), f"{name}: {variable}"
    for side in OTHER_SIDE:
        assert not [line for verb in ("ENV", "ARG") for line in instructions(side, verb) if SECRET.search(line)]


@pytest.mark.parametrize("name", OWN)
def test_one_of_our_services_is_told_exactly_the_settings_that_it_reads(name: str) -> None:
    read = {field.upper() for field, programs in readers().items() if name in programs}

    told = set(SERVICES[name]["environment"])
    assert told == read - NOT_IN_A_CONTAINER.keys() | ({HEALTH_FILE} if name in WORKERS else set())


@pytest.mark.parametrize("name", THEIRS)
def test_a_service_of_others_is_told_only_what_it_reads(name: str) -> None:
    assert set(SERVICES[name].get("environment", {})) <= IMAGE_VARIABLES.get(name, set())


def test_our_services_are_told_the_same() -> None:
    values: dict[str, set[str | None]] = {}
    for name in OWN:
        for variable, value in SERVICES[name]["environment"].items():
            values.setdefault(variable, set()).add(value)

    assert [variable for variable, different in values.items() if len(different) > 1] == []


def test_a_value_of_dotenv_reaches_the_services() -> None:
    """A setting without a value here, or with its own name in it, is what `.env` says."""
    for name in OWN:
        for variable, value in SERVICES[name]["environment"].items():
            assert value is None or f"${{{variable}:" in value or variable in FIXED, f"{name}: {variable}"


@pytest.mark.parametrize("name", OWN)
def test_a_command_starts_a_part_that_exists(name: str) -> None:
    command = SERVICES[name]["command"]

    assert command == (["python", "-m", "api"] if name == "api" else ["python", "-m", "workers", name])
    assert (ROOT / command[2] / "__main__.py").is_file()


@pytest.mark.parametrize("name", sorted(WORKERS))
def test_a_workers_health_is_its_pulse(name: str) -> None:
    service = SERVICES[name]

    assert service["healthcheck"]["test"] == ["CMD", "python", "-m", "errand.health"]
    assert service["environment"][HEALTH_FILE].startswith("/tmp/")
    assert any(mount.startswith("/tmp:") for mount in service["tmpfs"])


def test_nothing_sleeps() -> None:
    for path in (ROOT / "docker-compose.yml", *map(dockerfile, OTHER_SIDE)):
        assert not re.search(r"\bsleep\b", text(path)), path.name


@pytest.mark.parametrize("image", images())
def test_an_image_is_pinned_to_a_release(image: str) -> None:
    tag = image.rpartition(":")[2]

    assert re.match(r"v?\d+\.\d+\.\d+(?:-|$)", tag), f"{image}: give major, minor and patch"
    assert tag not in MUTABLE_TAGS


def test_what_is_mounted_is_there_and_read_only() -> None:
    for service in SERVICES.values():
        for mount in service.get("volumes", []):
            if isinstance(mount, dict):
                source = re.sub(r"^\$\{[A-Z_]+:-(.+)\}$", r"\1", mount["source"])  # what is mounted by default
                assert (ROOT / source).exists(), source
                assert mount["read_only"] is True
            else:
                assert mount.partition(":")[0] in COMPOSE["volumes"]


def test_redis_keeps_every_job_and_drops_none() -> None:
    command = SERVICES["redis"]["command"]

    assert "--appendonly yes" in command
    assert "--maxmemory-policy noeviction" in command


@pytest.mark.parametrize("side", OTHER_SIDE)
def test_an_image_holds_its_own_side_only(side: str) -> None:
    copied = {source for line in instructions(side, "COPY") for source in line.split()[:-1]}
    installed = " ".join(instructions(side, "RUN"))

    assert {f"{side}/", "errand/", "schemas/"} <= copied
    assert not [source for source in copied if source.startswith((OTHER_SIDE[side], "tests", "examples", "."))]
    assert f'".[{side}]"' in installed
    assert f"--constraint config/constraints/{side}.txt" in installed
    assert OTHER_SIDE[side] not in installed


@pytest.mark.parametrize("side", OTHER_SIDE)
def test_an_image_runs_as_nobody_in_particular(side: str) -> None:
    user = instructions(side, "USER")[-1]

    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", user)
    assert ast.literal_eval(instructions(side, "CMD")[-1])[:3] == ["python", "-m", side]


def test_a_build_sees_only_what_it_may_copy() -> None:
    rules = [line for line in text(ROOT / ".dockerignore").splitlines() if line and not line.startswith("#")]

    allowed = {rule.removeprefix("!").rstrip("/") for rule in rules if rule.startswith("!")}
    assert rules[0] == "*"
    assert allowed == {"pyproject.toml", "README.md", "config/constraints", "api", "errand", "schemas", "workers"}
    assert "errand/embedded/" in rules
