"""What the subcommands of ``mesh`` do; each module is loaded only for its own."""
