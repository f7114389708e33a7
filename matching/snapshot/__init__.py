"""The facts of all pools in the memory of a process: the fast path of ranking (docs/decisions/0012).

`layout` says what stands where, `kernel` judges rows, `table` holds them and keeps them in order, `source` reads PostgreSQL, `keeper` keeps
one table current in a process. `matching.queries` is the truth: whenever the table is absent, behind or not sure, its statement answers.
"""
