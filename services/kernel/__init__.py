"""The shared ideas of the domain: pure functions of state, command and time.

Nothing here performs I/O, reads a clock or knows a service or the chassis.
"""
