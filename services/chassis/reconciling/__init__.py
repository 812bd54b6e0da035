"""Zero is the promise: what histories hold, what topics hold, and what each consumer has applied, compared."""
