"""The demonstration region: real places; services, people and events that are wholly invented.

`load.load()` writes it, the same for the same seed; `simulator` makes it live; `logins` says who may sign in.
"""
