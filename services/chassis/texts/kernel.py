"""Texts of what the ideas in the kernel refuse."""

from services.chassis.aggregate import Text

KERNEL: dict[str, Text] = {}
