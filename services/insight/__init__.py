"""Facts and figures from the events of all services. Takes no command of its own."""
