"""GR00T's ZMQ protocol: client, server, and what both say. Free of torch."""
