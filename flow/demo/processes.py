"""By what chances the demonstration region lives: what its loader, its live teams and the evaluation of the simulator have in common."""

from flow.models import Episode
from flow.simulation.laws import Law

Pathway = Episode.Pathway

#: Which pathways people leave a hospital on, and how many each.
PATHWAYS = ((Pathway.P0, 0.12), (Pathway.P1, 0.42), (Pathway.P2, 0.22), (Pathway.P3, 0.24))
#: The share of those who come that comes to a hospital.
HOSPITAL = 0.75
#: The share of requests to which a team says yes.
YES = 0.55
#: How long an answer takes; in days, as all laws.
ANSWER = Law("lognormal", 5 / 24, 0.8)
