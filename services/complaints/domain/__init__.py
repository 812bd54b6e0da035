"""The concern (事项) as pure functions of state, command and time."""
