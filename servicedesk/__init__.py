"""The after-sales desk as a pure domain: tickets, visits, quotes, parts, technicians, notices; no I/O, no clock of its own."""
