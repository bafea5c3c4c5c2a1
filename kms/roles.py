"""Which posts propose, approve and carry out what several people decide about keys (law 3): one place for every kind."""

#: who proposes, and holds what takes a hand on the tokens
OFFICERS = frozenset({"security-officer"})
#: who approves, and carries out what is done in the database
DECIDERS = OFFICERS | {"leader"}
#: who may ask for a recovery besides
REGISTRARS = frozenset({"registration-officer"})
