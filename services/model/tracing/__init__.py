"""Where the gas comes from: pure, no I/O, no clock."""
