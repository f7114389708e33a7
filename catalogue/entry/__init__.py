"""An entry as those who keep it see it: its parts as plain values, drafts and proposals of new ones, pictures, papers and spreadsheets."""
