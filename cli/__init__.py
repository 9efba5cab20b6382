"""The command `fenceline`: the engines without services or database."""
