"""Volunteers, teams, service orders and hours."""
