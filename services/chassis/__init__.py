"""What every service stands on: storage, events, clocks, access. Knows no service."""
