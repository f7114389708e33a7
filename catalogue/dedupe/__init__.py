"""Finding, judging and joining records of one service (docs/decisions/0008)."""
