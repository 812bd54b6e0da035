"""One time for all domain code, and deadlines that come to pass by themselves."""
