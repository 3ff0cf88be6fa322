"""Soak: half of full load for as long as one likes, and a verdict on everything that must not grow.

Stands beside the product, as `chaos/` does, whose scene it uses. `make soak MINUTES=30`; next: `__main__.py`.
"""
