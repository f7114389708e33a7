"""The decision itself: pure functions over integers. It never queries and knows no clock.

`problem` holds what is judged, `rules` what must hold, `factors` what counts for how much, `check` recomputes a whole
ranking (the specification of the SQL in `matching.queries`), `explain` says it in words.
"""

#: Changes whenever the same problem, facts and weights could give another answer.
ENGINE_VERSION = "4"
