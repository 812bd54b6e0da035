"""Files on their way in and out: columns, checks, portions, and how a portion becomes records."""
