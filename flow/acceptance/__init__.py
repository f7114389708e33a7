"""How likely a service says yes, learned from the answers to requests. `docs/likelihood.md` says what is used and what never is."""
