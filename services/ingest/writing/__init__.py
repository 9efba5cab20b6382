"""From submissions to committed rows."""
