"""The deterministic simulation: the product's own cores in one process, on virtual time, from one seed."""
