"""The trial: fleet, wire, detectors, desk and people in one process on the fleet clock, and what came of it."""
