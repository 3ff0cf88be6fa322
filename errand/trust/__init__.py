"""Trust: signed links, webhook signatures, public networks, allowed recipients."""
