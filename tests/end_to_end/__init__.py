"""A real server on an ephemeral port, real clients, real sockets."""
