"""Embedded servers, supervisor, demo and the `wellkept` command: what runs the product on one machine."""
