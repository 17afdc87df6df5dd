"""The four stacks: they own a provider, create constructs, order them, and expose outputs.

``application`` composes them.
"""

import imports as imports
