"""Directory: units, residents and households, staff, organisations and points, visits, and what districts decide."""
