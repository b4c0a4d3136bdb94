"""What the core was told and what it decided, as lines of JSON, and the same played again."""
