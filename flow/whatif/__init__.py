"""What if: on a copy of the live state, simulated by `flow.simulation` and kept for managers. Verbs are in `operations`."""
