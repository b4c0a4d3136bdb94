"""A node's configuration as pydantic models: keys, kinds, defaults, descriptions; the JSON Schema is made from these.

The models check what can be said of one value. What needs two of them is in rules.py.
"""
