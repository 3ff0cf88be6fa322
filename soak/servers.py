"""Samples the servers: the keys of Valkey; the connections, channels, queues and messages of RabbitMQ."""

import re
import time
from collections import Counter

from errand.store import Store
from schemas.status import Status
from soak.processes import MB, Figures
from tests.support.rabbitmq import RabbitMQ

OVERDUE = 10.0
"""Seconds after its retention for which a job may still exist: the rescuer deletes jobs once a second."""
_ASK = (
    "Queues = rabbit_amqqueue:list(), "
    "{length(rabbit_networking:connections()), length(rabbit_channel:list()), length(Queues), "
    "lists:sum([proplists:get_value(messages, rabbit_amqqueue:info(Queue, [messages])) || Queue <- Queues]), "
    "erlang:system_info(process_count), erlang:memory(total)}."
)


def broker(server: RabbitMQ) -> Figures:
    """Return the figures of RabbitMQ; each call starts an Erlang process."""
    text = server.rabbitmqctl("eval", _ASK)
    names = ("connections", "channels", "queues", "messages", "Erlang processes", "Erlang memory, MB")
    values = [float(each) for each in re.findall(r"\d+", text)]
    figures = dict(zip((f"rabbitmq: {name}" for name in names), values, strict=True))
    figures["rabbitmq: Erlang memory, MB"] /= MB * MB
    return figures


def store(store: Store) -> Figures:
    """Return the figures of Errand's keys in Valkey, and of Valkey itself, in one round trip."""
    keys = store.keys
    pipe = store.client.pipeline(transaction=False)
    sets = {
        "jobs": keys.jobs,
        **{f"jobs {status.value}": keys.jobs_in(status) for status in Status},
        "outbox": keys.outbox,
        "leases": keys.leases,
        "notifications": keys.notifications,
        "webhook notifications": keys.webhook_notifications,
        "due": keys.due,
        "deadlines": keys.deadlines,
        "retention": keys.retention,
    }
    for key in sets.values():
        pipe.zcard(key)
    pipe.zcount(keys.retention, 1, int((time.time() - OVERDUE) * 1000))
    pipe.xlen(keys.events)
    for hash_ in ("totals", "durations", "catalogue"):
        pipe.hlen(f"{keys.prefix}{hash_}")
    pipe.info("memory")
    pipe.info("clients")
    *counts, memory, clients = pipe.execute()
    names = [*sets, "jobs beyond retention", "events", "totals", "durations", "catalogue"]
    figures = {f"store: {name}": float(count) for name, count in zip(names, counts, strict=True)}
    figures["valkey: data, MB"] = memory["used_memory"] / MB / MB
    figures["valkey: clients"] = float(clients["connected_clients"])
    return figures


def keys_by_kind(store: Store) -> Figures:
    """Count all keys by the first part of their names."""
    prefix = store.keys.prefix
    counted = Counter(kind_of(key, prefix) for key in store.client.scan_iter(match=f"{prefix}*", count=1000))
    return {f"keys: {kind}": float(count) for kind, count in counted.items()}


def kind_of(key: str, prefix: str) -> str:
    """Return the first part of a key's name."""
    return key.removeprefix(prefix).partition(":")[0]
