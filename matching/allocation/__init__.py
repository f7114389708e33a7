"""One plan for everyone who waits: pure functions over whole numbers. It never queries and knows no clock.

`problem` holds who could go where at what cost, `solve` makes the plan, `check` proves it without a solver, `worth` says what one
more place would do, `answer` says who is left out and why and what other ways of choosing would have done, `live` keeps a plan the best
while things change, `sides` and `repair` add what a flow cannot hold, and `mip` proves those where the size allows.

Importing `solve` or `live` loads a compiler (numba): import them where they are called, not when a web process starts.
"""

#: Changes whenever the same problem could give another plan.
ALLOCATION_VERSION = "1"
