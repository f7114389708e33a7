"""Letters to people: what was asked for them, in words that a child of nine can read."""
