"""Accepted is kept: aggregates with their history in MongoDB, written in groups, read in scope."""
