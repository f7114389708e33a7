"""Who is expected at which session or appointment, who came, and what follows from it."""
