"""From histories to Kafka: the relay, and events sent again."""
