"""Coming here from a patient's record in another system, with nothing typed twice (docs/launch.md)."""
