"""What services tell each other: events on the wire, their schemas, their topics."""
