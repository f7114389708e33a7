"""How long the way to a service takes by road, asked of a route planner that the operator runs (docs/travel.md, docs/decisions/0014).

`router` is the one interface, `http` and `pgrouting` are the planners behind it, `asking` asks for the best lines of a ranking and says it
in words. Without a planner, or while it is away, `matching.engine.journey` reckons from the straight line, as the ranking always does.
"""
