"""The after-sales desk, a pure domain: tickets, visits, quotes, parts, technicians, notices. No I/O, no own clock."""
