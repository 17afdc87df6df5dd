"""What synthesis costs, against its floor: `python -m bench`."""
