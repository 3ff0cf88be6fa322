"""How an API process starts: the server, and the parts it is made of."""
