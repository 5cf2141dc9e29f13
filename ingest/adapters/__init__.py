"""Payloads of devices that people already own, turned into readings: one file each, pure functions."""
