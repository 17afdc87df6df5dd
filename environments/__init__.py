"""The environments of this project: one module each, with an ``ENVIRONMENT``."""
