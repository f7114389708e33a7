"""Asking a service for help without an account: the form's offer, links, news, and what a service does with what came in."""
