"""Everything that gets the system onto machines."""
