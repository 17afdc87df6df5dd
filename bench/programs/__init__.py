"""Programs to measure: each is run by `python -m bench.programs.<name>` in a process of its own."""
