"""A second opinion: the same problem given whole to OR-Tools. Tests and benchmarks hold our own search against it."""

import numpy as np

from matching.allocation.problem import Ints, Problem


def least(problem: Problem) -> tuple[int, Ints]:
    """What the best plan costs, and one such plan, by `SimpleMinCostFlow`."""
    from ortools.graph.python.min_cost_flow import SimpleMinCostFlow

    people, nodes = problem.people, len(problem.places)
    sink = people + nodes
    flow = SimpleMinCostFlow()
    options = flow.add_arcs_with_capacity_and_unit_cost(
        problem.owner, problem.pool + np.int32(people), np.ones(len(problem.pool), np.int64), problem.cost
    )
    above = np.where(problem.parent >= 0, problem.parent + people, sink).astype(np.int32)
    flow.add_arcs_with_capacity_and_unit_cost(
        np.arange(people, sink, dtype=np.int32), above, np.minimum(problem.places, people), np.zeros(nodes, np.int64)
    )
    everybody = np.arange(people, dtype=np.int32)
    flow.add_arcs_with_capacity_and_unit_cost(everybody, np.full(people, sink, np.int32), np.ones(people, np.int64), problem.left)
    flow.set_nodes_supplies(np.append(everybody, np.int32(sink)), np.append(np.ones(people, np.int64), -people))
    status = flow.solve()
    if status != flow.OPTIMAL:
        raise RuntimeError(f"OR-Tools found no flow: {status}.")
    at = np.full(people, -1, np.int64)
    used = options[flow.flows(options) > 0] if len(options) else options
    at[problem.owner[used]] = used
    return int(flow.optimal_cost()), at
