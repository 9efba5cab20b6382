"""The command `fenceline`: the commands for vendors, the administration, the engines without services."""
