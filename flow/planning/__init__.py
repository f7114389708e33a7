"""The plan for everybody who waits: who could go where by the ranking itself, the best plan of all, and what a team decides of it."""
