"""An operation of another service than `compute`: it has queues of its own."""

from workers.operations.registry import operation

SERVICE = "elsewhere"


@operation(service=SERVICE, tiny=True)
def there(value: int) -> int:
    """Give back what it gets."""
    return value
