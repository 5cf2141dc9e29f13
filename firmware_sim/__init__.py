"""Simulated appliances down to the wire, replayed recordings, and simulated households and technicians."""
