"""What volunteers, teams, orders and hours are, and what may happen to them: pure."""
