"""Who may open which address: the roles, the policy of each address, and one small world to try them in."""
