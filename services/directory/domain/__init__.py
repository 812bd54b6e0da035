"""The pure part: states, commands, events, decisions. No I/O, no clock."""
