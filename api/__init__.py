"""JSON under /v1, server-rendered pages, calendars and health: the product's face over HTTP."""
