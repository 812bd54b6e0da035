"""Applied once, and nothing stuck in silence: from Kafka to reactions."""
