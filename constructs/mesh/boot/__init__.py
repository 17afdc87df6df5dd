"""Booting a VM: cloud-init and the scripts it carries."""
