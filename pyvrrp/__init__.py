"""pyvrrp: a virtual IP that follows a live MySQL."""

__version__ = "0.1.0"
