"""What the examples of many rules have in common."""

from typing import Final

from mesh.shapes import JsonObject

HTTP: Final[JsonObject] = {"Kind": "proxy-defaults", "Name": "global", "Config": {"protocol": "http"}}
"""Makes every service an HTTP service."""
