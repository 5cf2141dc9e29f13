"""The stream between ingest and workers: partitions, outgoing messages, the mirrored clock. Only here is nats."""
