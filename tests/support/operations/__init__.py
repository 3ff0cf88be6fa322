"""Operations with characters: they crash, eat memory, talk without end, don't listen. Loaded by the tests' children."""
