"""RESP, the protocol: bytes to values and back.  No socket, no thread, no clock."""
