"""How many instances did the periodic work of each instance, and how many the work of only one."""

from flask import Blueprint

from api.extending import cluster

ticks = Blueprint("ticks", __name__)


@ticks.get("/ticks")
def count_ticking_instances() -> dict[str, int]:
    """Count the instances that ticked lately

    `each`: those whose plain timer did, `once`: those whose `@timer(once=True)` did, in the last five seconds.
    ---
    responses:
      200:
        description: How many there are.
        content:
          application/json:
            example: {each: 2, once: 1}
      503:
        description: No instance of the service is there.
      504:
        description: The service takes too long.
    """
    with cluster(timeout=5) as n:
        return {work: len(instances) for work, instances in n.timer_service.instances().items()}
