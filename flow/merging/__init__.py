"""Two records of one person in one organisation: found, put side by side, joined, and parted again (decision 0018)."""
