"""Personal data stays home: sealed fields and the hashes that find them again."""
