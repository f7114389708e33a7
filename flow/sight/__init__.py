"""Who sees what, beyond `visible_to`: PostgreSQL’s own rules, breaking the glass, and who looked at a record."""
