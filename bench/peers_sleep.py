"""The same sleep for Celery, Dramatiq and taskiq, each set up so that it loses no job: `bench/sleepers.py` runs it.

BENCH_PEER says which of them this module is, AMQP_URI and REDIS_URL where its servers are, SLOTS how many of its jobs
run at a time. As a program it fills the queue: `python -m bench.peers_sleep JOBS`. It runs with the peers' interpreter
and imports nothing of ours.
"""

import asyncio
import os
import sys
import time

PEER, AMQP, REDIS = os.environ["BENCH_PEER"], os.environ["AMQP_URI"], os.environ["REDIS_URL"]
SLOTS = os.environ["SLOTS"]
SECONDS, KEPT_SECONDS = 0.1, 3600

if PEER.startswith("Celery"):
    from celery import Celery

    app = Celery("bench", broker=AMQP, backend=REDIS)
    app.conf.update(
        result_expires=KEPT_SECONDS, task_acks_late=True, broker_transport_options={"confirm_publish": True}
    )

    @app.task(name="nap")
    def nap() -> None:
        time.sleep(SECONDS)

    def fill(jobs: int) -> None:
        for _ in range(jobs):
            nap.delay()

elif PEER.startswith("Dramatiq"):
    import dramatiq
    from dramatiq.brokers.rabbitmq import RabbitmqBroker
    from dramatiq.results import Results
    from dramatiq.results.backends import RedisBackend

    broker = RabbitmqBroker(url=AMQP, confirm_delivery=True)
    broker.add_middleware(Results(backend=RedisBackend(url=REDIS), store_results=True, result_ttl=KEPT_SECONDS * 1000))
    dramatiq.set_broker(broker)

    @dramatiq.actor
    def nap() -> None:
        time.sleep(SECONDS)

    def fill(jobs: int) -> None:
        for _ in range(jobs):
            nap.send()

else:
    from taskiq_aio_pika import AioPikaBroker
    from taskiq_redis import RedisAsyncResultBackend

    # it would fetch ten jobs ahead, and so never run more
    broker = AioPikaBroker(AMQP, qos=2 * int(SLOTS)).with_result_backend(
        RedisAsyncResultBackend(REDIS, result_ex_time=KEPT_SECONDS)
    )

    @broker.task(task_name="nap")
    async def nap() -> None:
        await asyncio.sleep(SECONDS)

    async def send(jobs: int) -> None:
        await broker.startup()
        for start in range(0, jobs, 500):
            await asyncio.gather(*(nap.kiq() for _ in range(start, min(start + 500, jobs))))
        await broker.shutdown()

    def fill(jobs: int) -> None:
        asyncio.run(send(jobs))


if __name__ == "__main__":
    fill(int(sys.argv[1]))
