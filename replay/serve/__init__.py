"""A replay's models and tools, served on loopback to agents of any language.

Every worker imports :mod:`replay.serve.tools`, and few of them the servers: nothing is loaded here.
"""
