"""The gateway: reads devices at the edge and forwards their values to the server, losing nothing."""
