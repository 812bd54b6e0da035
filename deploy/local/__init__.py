"""The whole system on one bare machine: real Kafka, real MongoDB and every process, without containers."""
