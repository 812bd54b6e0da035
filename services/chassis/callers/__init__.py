"""Who calls, and what they may do; calls from one service to another."""
