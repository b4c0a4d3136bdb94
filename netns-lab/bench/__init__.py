"""pyvrrpd beside keepalived, in one run, in private namespaces: what a client sees, and what it costs.

A row (rows/*.py) measures something with either subject. The runner takes the subjects in turn, so that a noisy
machine is noisy for both, and report.py prints medians, ranges, the ratio and whether the goal is reached.
"""
