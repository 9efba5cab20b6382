"""One model run: what was asked, what was gathered, what was computed."""
