"""Finding, judging and joining records of one service (docs/decisions/0008)."""

from uuid import UUID


def after_import(run_id: UUID) -> None:
    """Have the services that an import wrote compared with their like, soon, by a worker. In the import's transaction."""
    from catalogue import tasks  # tasks stand above this package and call it

    tasks.find_duplicates_of_import.defer(run_id=str(run_id))
