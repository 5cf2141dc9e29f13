"""Server-rendered pages: owners' by their link, staff's by their session."""
