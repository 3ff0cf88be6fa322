"""Soak: half of full load for as long as one likes, and a trend on everything that must not grow.

Stands beside the product, as `chaos/` does, whose deployment it uses. `make soak MINUTES=30`; next: `__main__.py`.
"""
