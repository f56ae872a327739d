"""The version of the package, for the package itself and for the server (CLIENT SETINFO)."""

__version__ = "4.0.0"
VERSION = tuple(int(part) for part in __version__.split("."))
