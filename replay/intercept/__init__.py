"""Between an agent and the network: what may leave, what is answered, what is written down."""
