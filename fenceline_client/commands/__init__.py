"""The command `fenceline` for vendors: stations, readings, alarms, runs, the live tail."""
