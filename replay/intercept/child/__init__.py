"""A folder for PYTHONPATH of programs that an agent starts; a package only to be installed."""
