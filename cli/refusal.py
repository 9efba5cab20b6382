"""A reason not to go on that the person at the keyboard can mend, as the commands for vendors tell it."""

from fenceline_client.commands.refusal import EXIT_REFUSED, Refusal

__all__ = ["EXIT_REFUSED", "Refusal"]
