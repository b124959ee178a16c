"""One module for each command that is more than a few lines; `anonymize.cli` joins them."""
