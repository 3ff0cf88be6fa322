"""Whom to trust: signed links, webhook signatures, public networks, allowed recipients."""
