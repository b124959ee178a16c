"""The parts of :mod:`anonymize.assemble`: one question about the spans of a trace per module."""
